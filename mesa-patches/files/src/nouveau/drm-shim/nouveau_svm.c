/* SPDX-License-Identifier: MIT */

/** @file
 *
 * Shared virtual memory: answers as the kernel does, as far as it can be told from
 * the process' own mappings, and a record of what was asked. There is no device that
 * would take pages, so only calls do.
 *
 * NOUVEAU_SHIM_SVM says which kernel to play:
 *
 *    none    one without CONFIG_DRM_NOUVEAU_SVM
 *    bind    SVM_INIT and SVM_BIND as Linux 6.12 has them
 *    atomic  the ioctls of svm_atomic.h, too, and migration to the CPU (the default)
 *
 * NOUVEAU_SHIM_SVM_LOG names a file to which a line is added for each call.
 *
 * NOUVEAU_SHIM_SVM_REFUSE is an enum drm_svm_atomic_reason: with it no page can be
 * had.
 *
 * Unlike the kernel's driver, which has SVM on Pascal only, this has it on each chipset
 * that Mesa asks for it, so that their compilers can be tested.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drm-uapi/nouveau_drm.h"
#include "drm-uapi/svm_atomic.h"
#include "util/hash_table.h"
#include "util/set.h"
#include "util/u_dynarray.h"

#include "drm-shim/drm_shim.h"
#include "nouveau_svm.h"

#define MAX_HOLD_NS     10000000ull
#define DEFAULT_HOLD_NS 100000ull
#define MAX_POLICIES    65536

enum svm_kernel {
   SVM_NONE,
   SVM_BIND,
   SVM_ATOMIC,
};

struct svm_policy {
   uint64_t start, end;
   uint64_t hold_ns;
   uint32_t mode;
};

/* What a file is bound to. */
struct svm_client {
   pid_t pid;
   uint64_t cutout_start, cutout_end;
   /* Page numbers of what the device has. */
   struct set *pages;
   /* The last that has an address says what its policy is. */
   struct util_dynarray policies;
   struct drm_svm_atomic_counters counters;
};

static struct {
   enum svm_kernel kernel;
   uint32_t refuse;
   FILE *log;
   mtx_t lock;
   /* From struct shim_fd to struct svm_client. */
   struct hash_table *clients;
   uint64_t page_size;
   uint64_t end;
} svm;

static struct svm_client *
svm_client(int fd)
{
   struct hash_entry *entry =
      _mesa_hash_table_search(svm.clients, drm_shim_fd_lookup(fd));

   return entry ? entry->data : NULL;
}

static int PRINTFLIKE(2, 3)
svm_log(int ret, const char *format, ...)
{
   va_list args;

   if (!svm.log)
      return ret;

   va_start(args, format);
   vfprintf(svm.log, format, args);
   va_end(args);
   fprintf(svm.log, " = %d\n", ret);
   fflush(svm.log);
   return ret;
}

static bool
svm_aligned(uint64_t address)
{
   return !(address & (svm.page_size - 1));
}

static bool
svm_shares(const struct svm_client *client, uint64_t start, uint64_t end)
{
   return end <= svm.end &&
          (end <= client->cutout_start || start >= client->cutout_end ||
           client->cutout_start == client->cutout_end);
}

static int
svm_errno(uint32_t reason)
{
   switch (reason) {
   case DRM_SVM_ATOMIC_OK: return 0;
   case DRM_SVM_ATOMIC_UNMAPPED: return -EFAULT;
   case DRM_SVM_ATOMIC_READONLY: return -EACCES;
   case DRM_SVM_ATOMIC_USERFAULT: return -EAGAIN;
   case DRM_SVM_ATOMIC_CONTENDED: return -EBUSY;
   case DRM_SVM_ATOMIC_NOMEM: return -ENOMEM;
   case DRM_SVM_ATOMIC_HWPOISON: return -EHWPOISON;
   case DRM_SVM_ATOMIC_DENIED: return -EPERM;
   case DRM_SVM_ATOMIC_OUTSIDE: return -ERANGE;
   case DRM_SVM_ATOMIC_INTERRUPTED: return -EINTR;
   case DRM_SVM_ATOMIC_DEVICE_LOST:
   case DRM_SVM_ATOMIC_HARDWARE: return -ENODEV;
   case DRM_SVM_ATOMIC_NO_CLIENT: return -ENXIO;
   case DRM_SVM_ATOMIC_FOREIGN: return -ESRCH;
   default: return -EOPNOTSUPP;
   }
}

static const struct svm_policy *
svm_policy(const struct svm_client *client, uint64_t address)
{
   static const struct svm_policy none = {
      .hold_ns = DEFAULT_HOLD_NS,
      .mode = DRM_SVM_ATOMIC_MODE_DEFAULT,
   };
   const struct svm_policy *found = &none;

   util_dynarray_foreach(&client->policies, struct svm_policy, policy)
      if (address >= policy->start && address < policy->end)
         found = policy;
   return found->mode == DRM_SVM_ATOMIC_MODE_DEFAULT ? &none : found;
}

/* A mapping of the process. */
struct svm_mapping {
   uint64_t start, end;
   char flags[5];
   char path[16];
};

/* The first mapping that ends behind an address. */
static bool
svm_mapping(FILE *maps, uint64_t address, struct svm_mapping *mapping)
{
   char line[512];

   while (fgets(line, sizeof(line), maps)) {
      mapping->path[0] = '\0';
      if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %15s", &mapping->start,
                 &mapping->end, mapping->flags, mapping->path) >= 3 &&
          mapping->end > address)
         return true;
   }
   return false;
}

static uint32_t
svm_mapping_reason(const struct svm_mapping *mapping)
{
   if (mapping->flags[1] != 'w')
      return DRM_SVM_ATOMIC_READONLY;
   if (mapping->flags[3] != 's')
      return DRM_SVM_ATOMIC_OK;
   if (!strncmp(mapping->path, "/memfd:", 7) || !strncmp(mapping->path, "/dev/shm/", 9) ||
       !strncmp(mapping->path, "/dev/zero", 9) || !strncmp(mapping->path, "/SYSV", 5))
      return DRM_SVM_ATOMIC_SHMEM;
   return DRM_SVM_ATOMIC_FILE;
}

static void
svm_take(struct svm_client *client, struct drm_svm_atomic_acquire *args)
{
   const uint64_t end = args->start + args->length;
   struct svm_mapping mapping = {0};
   bool mapped = true;
   FILE *maps = fopen("/proc/self/maps", "r");

   args->failed = args->next = end;
   args->reason = DRM_SVM_ATOMIC_OK;
   client->counters.acquisitions++;

   for (uint64_t address = args->start; address < end; address += svm.page_size) {
      uint32_t reason = svm.refuse;

      if (mapped && mapping.end <= address)
         mapped = maps && svm_mapping(maps, address, &mapping);
      if (!reason && (!mapped || address < mapping.start))
         reason = DRM_SVM_ATOMIC_UNMAPPED;
      if (!reason)
         reason = svm_mapping_reason(&mapping);
      if (!reason && svm_policy(client, address)->mode == DRM_SVM_ATOMIC_MODE_DENY)
         reason = DRM_SVM_ATOMIC_DENIED;

      if (!reason) {
         _mesa_set_add(client->pages, (void *)(uintptr_t)(address / svm.page_size));
         client->counters.acquired++;
         args->pages++;
         continue;
      }
      if (reason < ARRAY_SIZE(client->counters.refused))
         client->counters.refused[reason]++;
      if (!args->reason) {
         args->reason = reason;
         args->failed = address;
      }
   }

   if (maps)
      fclose(maps);
}

static uint64_t
svm_give_back(struct svm_client *client, uint64_t start, uint64_t end)
{
   uint64_t count = 0;

   for (uint64_t address = start; address < end; address += svm.page_size) {
      struct set_entry *entry =
         _mesa_set_search(client->pages, (void *)(uintptr_t)(address / svm.page_size));

      if (!entry)
         continue;
      _mesa_set_remove(client->pages, entry);
      count++;
   }
   client->counters.revoked[DRM_SVM_ATOMIC_BY_RELEASE] += count;
   return count;
}

static uint32_t
svm_client_reason(const struct svm_client *client)
{
   if (!client)
      return DRM_SVM_ATOMIC_NO_CLIENT;
   return client->pid == getpid() ? DRM_SVM_ATOMIC_OK : DRM_SVM_ATOMIC_FOREIGN;
}

/* What comes before anything is done with a range. */
static int
svm_check(const struct svm_client *client, uint64_t start, uint64_t length, uint32_t *reason)
{
   if (!length || !svm_aligned(start) || !svm_aligned(length) || start + length <= start)
      return -EINVAL;

   *reason = svm_client_reason(client);
   if (!*reason && !svm_shares(client, start, start + length))
      *reason = DRM_SVM_ATOMIC_OUTSIDE;
   return svm_errno(*reason);
}

static int
svm_init(int fd, struct drm_nouveau_svm_init *args)
{
   const uint64_t end = args->unmanaged_addr + args->unmanaged_size;
   struct svm_client *client;

   if (svm.kernel == SVM_NONE)
      return -ENOSYS;
   if (svm.kernel == SVM_ATOMIC &&
       (!svm_aligned(args->unmanaged_addr) || !svm_aligned(args->unmanaged_size) ||
        end < args->unmanaged_addr || end > svm.end))
      return -EINVAL;
   if (svm_client(fd))
      return -EBUSY;

   client = calloc(1, sizeof(*client));
   if (!client)
      return -ENOMEM;
   client->pid = getpid();
   client->cutout_start = args->unmanaged_addr;
   client->cutout_end = end;
   client->pages = _mesa_pointer_set_create(NULL);
   util_dynarray_init(&client->policies, NULL);
   _mesa_hash_table_insert(svm.clients, drm_shim_fd_lookup(fd), client);
   return 0;
}

static int
nouveau_ioctl_svm_init(int fd, unsigned long request, void *arg)
{
   struct drm_nouveau_svm_init *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_log(svm_init(fd, args), "SVM_INIT 0x%" PRIx64 " 0x%" PRIx64,
                     (uint64_t)args->unmanaged_addr, (uint64_t)args->unmanaged_size);
   mtx_unlock(&svm.lock);
   return ret;
}

/* As many pages as there could be: there is no VRAM that would have them already. */
static uint64_t
svm_migrate(uint64_t start, uint64_t end)
{
   struct svm_mapping mapping;
   uint64_t pages = 0;
   FILE *maps = fopen("/proc/self/maps", "r");

   while (maps && svm_mapping(maps, start, &mapping) && mapping.start < end)
      pages += (MIN2(mapping.end, end) - MAX2(mapping.start, start)) / svm.page_size;
   if (maps)
      fclose(maps);
   return pages;
}

static int
svm_bind(int fd, struct drm_nouveau_svm_bind *args)
{
   const struct svm_client *client = svm_client(fd);
   const uint32_t command = args->header >> NOUVEAU_SVM_BIND_COMMAND_SHIFT &
                            NOUVEAU_SVM_BIND_COMMAND_MASK;
   const uint32_t target = args->header >> NOUVEAU_SVM_BIND_TARGET_SHIFT &
                           NOUVEAU_SVM_BIND_TARGET_MASK;

   args->va_start &= ~(svm.page_size - 1);
   args->va_end = (args->va_end + svm.page_size - 1) & ~(svm.page_size - 1);
   if (svm.kernel == SVM_ATOMIC)
      args->result = 0;

   if (args->reserved0 || args->reserved1 || args->stride ||
       args->header & ~NOUVEAU_SVM_BIND_VALID_MASK || args->va_start >= args->va_end ||
       command != NOUVEAU_SVM_BIND_COMMAND__MIGRATE)
      return -EINVAL;
   if (target != NOUVEAU_SVM_BIND_TARGET__GPU_VRAM &&
       (svm.kernel != SVM_ATOMIC || target != NOUVEAU_SVM_BIND_TARGET__CPU))
      return -EINVAL;

   if (svm.kernel != SVM_ATOMIC) {
      args->result = 0;
      return client ? 0 : -EINVAL;
   }

   uint32_t reason = svm_client_reason(client);
   if (!reason && !svm_shares(client, args->va_start, args->va_end))
      reason = DRM_SVM_ATOMIC_OUTSIDE;
   if (!reason)
      args->result = svm_migrate(args->va_start, args->va_end);
   return svm_errno(reason);
}

static int
nouveau_ioctl_svm_bind(int fd, unsigned long request, void *arg)
{
   struct drm_nouveau_svm_bind *args = arg;
   const uint64_t start = args->va_start, end = args->va_end;

   mtx_lock(&svm.lock);
   int ret = svm_bind(fd, args);
   svm_log(ret, "SVM_BIND 0x%" PRIx64 " 0x%" PRIx64 "-0x%" PRIx64 " %" PRIu64,
           (uint64_t)args->header, start, end, ret ? 0 : (uint64_t)args->result);
   mtx_unlock(&svm.lock);
   return ret;
}

static int
svm_acquire(int fd, struct drm_svm_atomic_acquire *args)
{
   struct svm_client *client = svm_client(fd);
   int ret;

   if (args->flags)
      return -EINVAL;
   args->pages = 0;
   args->failed = args->next = args->start;
   ret = svm_check(client, args->start, args->length, &args->reason);
   if (ret)
      return ret;
   svm_take(client, args);
   return svm_errno(args->reason);
}

static int
nouveau_ioctl_svm_acquire(int fd, unsigned long request, void *arg)
{
   struct drm_svm_atomic_acquire *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_acquire(fd, args);
   svm_log(ret, "ACQUIRE 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64, (uint64_t)args->start,
           (uint64_t)args->length, (uint64_t)args->pages);
   mtx_unlock(&svm.lock);
   return ret;
}

static int
svm_release(int fd, struct drm_svm_atomic_release *args)
{
   struct svm_client *client = svm_client(fd);
   int ret;

   if (args->flags)
      return -EINVAL;
   args->pages = 0;
   ret = svm_check(client, args->start, args->length, &args->reason);
   if (!ret)
      args->pages = svm_give_back(client, args->start, args->start + args->length);
   return ret;
}

static int
nouveau_ioctl_svm_release(int fd, unsigned long request, void *arg)
{
   struct drm_svm_atomic_release *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_release(fd, args);
   svm_log(ret, "RELEASE 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64, (uint64_t)args->start,
           (uint64_t)args->length, (uint64_t)args->pages);
   mtx_unlock(&svm.lock);
   return ret;
}

static int
svm_set_policy(int fd, struct drm_svm_atomic_set_policy *args)
{
   struct svm_client *client = svm_client(fd);
   int ret;

   if (args->mode > DRM_SVM_ATOMIC_MODE_DENY || args->hold_ns > MAX_HOLD_NS ||
       (args->hold_ns && args->mode != DRM_SVM_ATOMIC_MODE_HOLD))
      return -EINVAL;
   ret = svm_check(client, args->start, args->length, &args->reason);
   if (ret)
      return ret;
   if (util_dynarray_num_elements(&client->policies, struct svm_policy) == MAX_POLICIES)
      return -ENOSPC;

   struct svm_policy policy = {
      .start = args->start,
      .end = args->start + args->length,
      .mode = args->mode,
      .hold_ns = args->hold_ns,
   };
   util_dynarray_append(&client->policies, struct svm_policy, policy);
   return 0;
}

static int
nouveau_ioctl_svm_set_policy(int fd, unsigned long request, void *arg)
{
   struct drm_svm_atomic_set_policy *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_set_policy(fd, args);
   svm_log(ret, "SET_POLICY 0x%" PRIx64 " 0x%" PRIx64 " %u %" PRIu64, (uint64_t)args->start,
           (uint64_t)args->length, args->mode, (uint64_t)args->hold_ns);
   mtx_unlock(&svm.lock);
   return ret;
}

static int
svm_get_policy(int fd, struct drm_svm_atomic_get_policy *args)
{
   const struct svm_client *client = svm_client(fd);
   int ret = svm_check(client, args->start, args->length, &args->reason);

   if (ret)
      return ret;

   args->modes = 0;
   args->min_hold_ns = UINT64_MAX;
   args->max_hold_ns = 0;
   for (uint64_t at = args->start; at < args->start + args->length; at += svm.page_size) {
      const struct svm_policy *policy = svm_policy(client, at);

      args->modes |= 1u << policy->mode;
      if (policy->mode == DRM_SVM_ATOMIC_MODE_DENY)
         continue;
      args->min_hold_ns = MIN2(args->min_hold_ns, policy->hold_ns);
      args->max_hold_ns = MAX2(args->max_hold_ns, policy->hold_ns);
   }
   if (args->min_hold_ns == UINT64_MAX)
      args->min_hold_ns = 0;
   return 0;
}

static int
nouveau_ioctl_svm_get_policy(int fd, unsigned long request, void *arg)
{
   struct drm_svm_atomic_get_policy *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_log(svm_get_policy(fd, args), "GET_POLICY 0x%" PRIx64 " 0x%" PRIx64,
                     (uint64_t)args->start, (uint64_t)args->length);
   mtx_unlock(&svm.lock);
   return ret;
}

static int
svm_query(int fd, struct drm_svm_atomic_query *args)
{
   const struct svm_client *client = svm_client(fd);

   if (args->flags)
      return -EINVAL;

   /* No events, and nobody who would agree to anything. */
   *args = (struct drm_svm_atomic_query){
      .version = DRM_SVM_ATOMIC_VERSION,
      .features = DRM_SVM_ATOMIC_FEATURE_FAULT | DRM_SVM_ATOMIC_FEATURE_HOLD,
      .absent = svm_client_reason(client),
      .default_hold_ns = client ? DEFAULT_HOLD_NS : 0,
      .max_hold_ns = MAX_HOLD_NS,
      .max_policies = MAX_POLICIES,
   };
   if (args->absent)
      return 0;

   args->end = svm.end;
   args->cutout_start = client->cutout_start;
   args->cutout_end = client->cutout_end;
   args->policies = util_dynarray_num_elements(&client->policies, struct svm_policy);
   args->counters = client->counters;
   return 0;
}

static int
nouveau_ioctl_svm_query(int fd, unsigned long request, void *arg)
{
   struct drm_svm_atomic_query *args = arg;

   mtx_lock(&svm.lock);
   int ret = svm_query(fd, args);
   svm_log(ret, "QUERY %u", args->absent);
   mtx_unlock(&svm.lock);
   return ret;
}

/* The last descriptor of a file is closed: the CPU gets its pages back. */
static void
nouveau_svm_close(struct shim_fd *shim_fd)
{
   mtx_lock(&svm.lock);
   struct hash_entry *entry = _mesa_hash_table_search(svm.clients, shim_fd);
   if (entry) {
      struct svm_client *client = entry->data;

      svm_log(0, "CLOSE %u", client->pages->entries);
      _mesa_hash_table_remove(svm.clients, entry);
      _mesa_set_destroy(client->pages, NULL);
      util_dynarray_fini(&client->policies);
      free(client);
   }
   mtx_unlock(&svm.lock);
}

static enum svm_kernel
svm_kernel_from_env(void)
{
   const char *env = getenv("NOUVEAU_SHIM_SVM");

   if (!env || !strcmp(env, "atomic"))
      return SVM_ATOMIC;
   if (!strcmp(env, "bind"))
      return SVM_BIND;
   if (strcmp(env, "none"))
      fprintf(stderr, "NOUVEAU_SHIM_SVM=%s: none, bind or atomic are known\n", env);
   return SVM_NONE;
}

void
nouveau_svm_init(ioctl_fn_t *ioctls)
{
   const char *log = getenv("NOUVEAU_SHIM_SVM_LOG");
   const char *refuse = getenv("NOUVEAU_SHIM_SVM_REFUSE");

   svm.kernel = svm_kernel_from_env();
   svm.refuse = refuse ? strtoul(refuse, NULL, 0) : DRM_SVM_ATOMIC_OK;
   svm.page_size = sysconf(_SC_PAGESIZE);
   svm.end = (UINT64_C(1) << 47) - svm.page_size;
   svm.clients = _mesa_pointer_hash_table_create(NULL);
   mtx_init(&svm.lock, mtx_plain);
   if (log) {
      svm.log = fopen(log, "a");
      if (!svm.log)
         perror(log);
   }
   shim_device.driver_fd_close = nouveau_svm_close;

   ioctls[DRM_NOUVEAU_SVM_INIT] = nouveau_ioctl_svm_init;
   ioctls[DRM_NOUVEAU_SVM_BIND] = nouveau_ioctl_svm_bind;
   if (svm.kernel != SVM_ATOMIC)
      return;

   ioctls += DRM_NOUVEAU_SVM_ATOMIC_BASE;
   ioctls[DRM_SVM_ATOMIC_ACQUIRE] = nouveau_ioctl_svm_acquire;
   ioctls[DRM_SVM_ATOMIC_RELEASE] = nouveau_ioctl_svm_release;
   ioctls[DRM_SVM_ATOMIC_SET_POLICY] = nouveau_ioctl_svm_set_policy;
   ioctls[DRM_SVM_ATOMIC_GET_POLICY] = nouveau_ioctl_svm_get_policy;
   ioctls[DRM_SVM_ATOMIC_QUERY] = nouveau_ioctl_svm_query;
}
