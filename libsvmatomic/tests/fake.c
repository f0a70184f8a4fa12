/* SPDX-License-Identifier: MIT */
/*
 * The fake /dev/dri: see fake.h.
 */
#include "fake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRI   "/dev/dri"
#define NODES 8
#define FDS   1024

static struct {
	struct fake_node nodes[NODES];
	unsigned int count;
	char directory[32]; /* what opendir() gets instead */
	int dri_errno;
	/* What is accessed in no order, for no race of the library's to go away by it. */
	struct fake_node *_Atomic of[FDS]; /* whose a descriptor is */
	_Atomic int open_flags;
} fake;

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long request, ...);
ssize_t __real_read(int fd, void *buffer, size_t size);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
DIR *__real_opendir(const char *path);

int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __wrap___read_chk(int fd, void *buffer, size_t size, size_t room);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
DIR *__wrap_opendir(const char *path);

static int fail(int err)
{
	errno = err;
	return -1;
}

static struct fake_node *node_of(int fd)
{
	if (fd < 0 || fd >= FDS)
		return NULL;
	return atomic_load_explicit(&fake.of[fd], memory_order_relaxed);
}

static void path_of(const struct fake_node *node, char path[80])
{
	snprintf(path, 80, "%s/%s", fake.directory, node->name);
}

static void clean(void)
{
	char path[80];

	for (unsigned int i = 0; i < fake.count; i++) {
		path_of(&fake.nodes[i], path);
		unlink(path);
	}
	if (*fake.directory)
		rmdir(fake.directory);
}

void fake_reset(void)
{
	static bool registered;

	if (!registered)
		atexit(clean);
	registered = true;
	clean();
	memset(&fake, 0, sizeof(fake));
	strcpy(fake.directory, "/tmp/svma-fake-XXXXXX");
	if (!mkdtemp(fake.directory))
		abort();
}

void fake_no_dri(int err)
{
	fake.dri_errno = err;
}

struct fake_node *fake_add(const char *name, const char *driver)
{
	struct fake_node *node = &fake.nodes[fake.count++];
	char path[80];
	int fd;

	if (fake.count > NODES)
		abort();
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->driver = driver;
	node->query.version = DRM_SVM_ATOMIC_VERSION;
	node->query.features = DRM_SVM_ATOMIC_FEATURE_FAULT | DRM_SVM_ATOMIC_FEATURE_EVENTS;
	node->query.absent = DRM_SVM_ATOMIC_NO_CLIENT;
	path_of(node, path);
	fd = __real_open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		abort();
	__real_close(fd);
	return node;
}

int fake_fd(struct fake_node *node)
{
	int fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || fd >= FDS)
		abort();
	atomic_store_explicit(&fake.of[fd], node, memory_order_relaxed);
	return fd;
}

unsigned int fake_open_count(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < FDS; i++)
		count += !!fake.of[i];
	return count;
}

int fake_open_flags(void)
{
	return fake.open_flags;
}

void fake_event(struct fake_node *node, uint32_t type, uint32_t length,
		const struct drm_svm_atomic_event *event)
{
	struct drm_svm_atomic_event copy = { 0 };
	unsigned char *to = node->stream + node->stream_length;

	if (node->stream_length + length > sizeof(node->stream))
		abort();
	if (event)
		copy = *event;
	copy.base.type = type;
	copy.base.length = length;
	/* What a newer kernel has behind it is not 0. */
	memset(to, 0xff, length);
	memcpy(to, &copy, length < sizeof(copy) ? length : sizeof(copy));
	node->stream_length += length;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	atomic_store_explicit(&fake.open_flags, flags, memory_order_relaxed);
	for (unsigned int i = 0; i < fake.count; i++) {
		struct fake_node *node = &fake.nodes[i];

		if (strncmp(path, DRI "/", strlen(DRI "/")) ||
		    strcmp(path + strlen(DRI "/"), node->name))
			continue;
		return node->open_errno ? fail(node->open_errno) : fake_fd(node);
	}
	if (!strncmp(path, DRI "/", strlen(DRI "/")))
		return fail(ENOENT);
	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return __real_open(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags & ~O_CREAT);
}

int __wrap_close(int fd)
{
	if (node_of(fd))
		atomic_store_explicit(&fake.of[fd], NULL, memory_order_relaxed);
	return __real_close(fd);
}

DIR *__wrap_opendir(const char *path)
{
	if (strcmp(path, DRI))
		return __real_opendir(path);
	if (fake.dri_errno) {
		errno = fake.dri_errno;
		return NULL;
	}
	return __real_opendir(fake.directory);
}

static int answer_version(const struct fake_node *node, struct drm_version *version)
{
	if (node->version_errno)
		return fail(node->version_errno);
	if (!node->driver)
		return fail(ENOTTY);
	/* The real one writes as much as there is room for, and tells how long it was. */
	if (version->name)
		memcpy(version->name, node->driver,
		       strlen(node->driver) < version->name_len ? strlen(node->driver)
								: version->name_len);
	version->name_len = strlen(node->driver);
	return 0;
}

/* Whether @request is @call of a driver, whatever its base. */
static bool is_query(unsigned long request, const char *driver)
{
	return driver &&
	       (request == DRM_IOCTL_SVM_ATOMIC_QUERY(0) ||
		request == DRM_IOCTL_SVM_ATOMIC_QUERY(0x20)) &&
	       request == (strcmp(driver, "vsvm") ? DRM_IOCTL_SVM_ATOMIC_QUERY(0x20)
						  : DRM_IOCTL_SVM_ATOMIC_QUERY(0));
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct fake_node *node = node_of(fd);
	size_t size = _IOC_SIZE(request);
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (!node)
		return __real_ioctl(fd, request, argument);
	if (node->interruptions) {
		node->interruptions--;
		return fail(EINTR);
	}
	if (request == DRM_IOCTL_VERSION)
		return answer_version(node, argument);
	if (is_query(request, node->driver)) {
		if (node->query_errno)
			return fail(node->query_errno);
		memcpy(argument, &node->query, sizeof(node->query));
		return 0;
	}
	if (size > sizeof(node->sent))
		return fail(EINVAL);
	if (!node->crowded) {
		node->calls++;
		node->request = request;
		memcpy(node->sent, argument, size);
	}
	if (!node->silent && size > FAKE_IN)
		memcpy((char *)argument + FAKE_IN, node->reply + FAKE_IN, size - FAKE_IN);
	return node->reply_errno ? fail(node->reply_errno) : 0;
}

/* How many bytes of whole events fit into @size, as drm_read() counts them. */
static size_t whole_events(const struct fake_node *node, size_t size)
{
	struct drm_event base;
	size_t at = 0;

	while (at < node->stream_length) {
		memcpy(&base, node->stream + at, sizeof(base));
		if (at + base.length > size)
			break;
		at += base.length;
	}
	return at;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	struct fake_node *node = node_of(fd);
	size_t length;

	if (!node)
		return __real_read(fd, buffer, size);
	if (node->crowded)
		return fail(EAGAIN);
	node->reads++;
	if (size > node->read_most)
		node->read_most = size;
	if (node->read_errno)
		return fail(node->read_errno);
	if (!node->stream_length)
		return fail(EAGAIN);
	length = size < node->stream_length ? size : node->stream_length;
	if (!node->raw)
		length = whole_events(node, size);
	memcpy(buffer, node->stream, length);
	node->stream_length -= length;
	memmove(node->stream, node->stream + length, node->stream_length);
	return (ssize_t)length;
}

ssize_t __wrap___read_chk(int fd, void *buffer, size_t size, size_t room)
{
	if (size > room)
		abort();
	return __wrap_read(fd, buffer, size);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct fake_node *node = node_of(fds->fd);

	if (!node)
		return __real_poll(fds, count, timeout);
	/* Whoever waits here waits for ever. */
	if (count != 1 || timeout)
		abort();
	node->polls++;
	fds->revents = node->stream_length ? POLLIN : 0;
	return !!fds->revents;
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
	(void)room;
	return __wrap_poll(fds, count, timeout);
}
