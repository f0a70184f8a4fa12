/* SPDX-License-Identifier: MIT */
/*
 * A kernel that says anything whatever: bytes for events, and answers to calls. What the
 * library hands on must make sense to who believes it.
 */
#include <svmatomic.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vsvm_drm.h>

#define ROOM 8

/* What the kernel has yet to say. */
static struct {
	const uint8_t *bytes;
	size_t length;
	int fd;
	bool opening; /* it still answers sensibly */
	unsigned long runs;
} said = { .fd = -1 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int __real_ioctl(int fd, unsigned long request, ...);
ssize_t __real_read(int fd, void *buffer, size_t size);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

static size_t take(void *to, size_t most)
{
	size_t length = most < said.length ? most : said.length;

	if (length)
		memcpy(to, said.bytes, length);
	said.bytes += length;
	said.length -= length;
	return length;
}

static int answer_open(unsigned long request, void *argument)
{
	struct drm_version *version = argument;
	struct drm_svm_atomic_query *query = argument;

	if (request == DRM_IOCTL_VERSION) {
		memcpy(version->name, "vsvm", 4);
		version->name_len = 4;
	} else {
		query->version = 1;
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	uint8_t err = 0;
	size_t in = 0;
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (said.fd < 0 || fd != said.fd)
		return __real_ioctl(fd, request, argument);
	if (said.opening)
		return answer_open(request, argument);
	take(&err, 1);
	/* It may say anything but what it was told: a range comes back as it was. */
	if (request != DRM_IOCTL_SVM_ATOMIC_QUERY(DRM_VSVM_SVM_ATOMIC_BASE))
		in = 2 * sizeof(uint64_t);
	take((char *)argument + in, _IOC_SIZE(request) - in);
	/* Those are tried again, for ever. */
	if (!err || err == EINTR || err == EAGAIN)
		return 0;
	errno = err;
	return -1;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	uint8_t most = 0;

	if (said.fd < 0 || fd != said.fd)
		return __real_read(fd, buffer, size);
	if (!said.length) {
		errno = EAGAIN;
		return -1;
	}
	take(&most, 1);
	return (ssize_t)take(buffer, (size_t)most * 8 < size ? (size_t)most * 8 : size);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (said.fd < 0 || fds->fd != said.fd)
		return __real_poll(fds, count, timeout);
	fds->revents = POLLIN;
	return 1;
}

#define expect(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not so: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_reason(uint32_t reason)
{
	expect(reason <= SVMA_REASON_UNKNOWN);
	expect(strlen(svma_strreason(reason)) > 5);
}

static void check_events(struct svma_device *device, size_t room)
{
	struct svma_event events[ROOM + 1];
	int count;

	for (unsigned int i = 0; i < 64; i++) {
		memset(events, 0xee, sizeof(events));
		count = svma_read_events(device, events, room);
		expect(count != 0 && count <= (int)room);
		/* Not one byte more than it says. */
		expect(events[count > 0 ? count : 0].type == 0xeeeeeeee);
		for (int e = 0; e < count; e++) {
			const struct svma_event *event = &events[e];

			expect(event->address + event->length >= event->address);
			expect(!event->reserved);
			expect(strlen(svma_strcause(event->why)) > 5);
			if (event->type == SVMA_EVENT_REFUSED)
				check_reason(event->why);
			else
				expect(event->type == SVMA_EVENT_REVOKED &&
				       event->why <= SVMA_BY_UNKNOWN);
		}
		if (count < 0)
			return;
	}
}

static void check_outcome(const struct svma_outcome *outcome, int err, uint64_t start,
			  uint64_t length, uint64_t page)
{
	expect(err <= 0);
	check_reason(outcome->reason);
	expect(!err == (outcome->reason == SVMA_REASON_OK));
	expect(outcome->pages <= length / page);
	expect(outcome->failed >= start && outcome->failed <= start + length);
	expect(!err == (outcome->failed == start + length));
	expect(!(outcome->failed % page));
}

static void check_answers(struct svma_device *device)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t start = 64 * page;
	void *const address = (void *)(uintptr_t)start;
	struct svma_capabilities capabilities;
	struct svma_outcome outcome;
	struct svma_policy policy;
	int err;

	err = svma_acquire(device, address, 16 * page, &outcome);
	check_outcome(&outcome, err, start, 16 * page, page);
	err = svma_release(device, address, 16 * page, &outcome);
	check_outcome(&outcome, err, start, 16 * page, page);
	err = svma_set_policy(device, address, page, SVMA_MODE_HOLD, 1, &outcome);
	check_outcome(&outcome, err, start, page, page);
	err = svma_get_policy(device, address, page, &policy, &outcome);
	check_outcome(&outcome, err, start, page, page);
	expect(err ? !policy.modes : policy.modes && policy.min_hold_ns <= policy.max_hold_ns);
	err = svma_query(device, &capabilities);
	expect(capabilities.start <= capabilities.end);
	expect(capabilities.cutout_start <= capabilities.cutout_end);
	expect(capabilities.cutout_start >= capabilities.start);
	expect(capabilities.cutout_end <= capabilities.end);
	expect(err ? capabilities.absent != SVMA_REASON_OK : capabilities.version > 0);
	check_reason(capabilities.absent);
}

static void report_runs(void)
{
	fprintf(stderr, "%lu inputs\n", said.runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct svma_device *device;

	if (said.fd < 0) {
		said.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		atexit(report_runs);
	}
	said.opening = true;
	expect(!svma_open_fd(&device, said.fd));
	said.opening = false;
	said.bytes = bytes;
	said.length = length;
	said.runs++;
	if (length && bytes[0] & 1)
		check_answers(device);
	check_events(device, length ? 1 + bytes[0] / 2 % ROOM : 1);
	svma_close(device);
	return 0;
}
