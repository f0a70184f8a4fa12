// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * vsvm: a virtual device that shares a process's virtual memory and does atomic
 * operations on it, for testing everything above and below without a GPU. It has a
 * page table of its own, faults, and loses pages, as a GPU has; what it executes is
 * what processes do through their mapping of its file: see vsvm_engine.c.
 */
#include <linux/anon_inodes.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/vsvm_drm.h>

#include "vsvm_drv.h"

#define MAX_DEVICES	16
#define MAX_DELAY_US	10000

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "How many devices to have, 1 to 16 (default 1)");

static struct vsvm_device *vsvm_devices[MAX_DEVICES];

static enum drm_svm_atomic_reason vsvm_absent(struct drm_file *file)
{
	return DRM_SVM_ATOMIC_OK;
}

DEFINE_DRM_SVM_ATOMIC_IOCTLS(vsvm, vsvm_client, vsvm_absent)

static int vsvm_init_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct vsvm_file *vfile = file->driver_priv;
	struct drm_vsvm_init *args = data;
	int err = -EBUSY;

	mutex_lock(&vfile->lock);
	if (!vfile->client)
		err = drm_svm_atomic_init(&vfile->sa, dev, file, current->mm,
					  args->unmanaged_addr, args->unmanaged_size,
					  &vsvm_sa_ops);
	if (!err) {
		/* For vsvm_client(): what it finds is initialized. */
		smp_store_release(&vfile->client, &vfile->sa);
	}
	mutex_unlock(&vfile->lock);
	return err;
}

static const struct drm_ioctl_desc vsvm_ioctls[] = {
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, ACQUIRE, vsvm_acquire_ioctl),
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, RELEASE, vsvm_release_ioctl),
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, SET_POLICY, vsvm_set_policy_ioctl),
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, GET_POLICY, vsvm_get_policy_ioctl),
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, QUERY, vsvm_query_ioctl),
	DRM_SVM_ATOMIC_IOCTL(DRM_VSVM_SVM_ATOMIC_BASE, SUBSCRIBE, vsvm_subscribe_ioctl),
	DRM_IOCTL_DEF_DRV(VSVM_INIT, vsvm_init_ioctl, DRM_RENDER_ALLOW),
};

static const struct file_operations vsvm_anon_fops = {
	.owner = THIS_MODULE,
};

static int vsvm_open(struct drm_device *dev, struct drm_file *file)
{
	/* Zapping takes it inside of a notifier, as no other mapping's is taken. */
	static struct lock_class_key i_mmap_key;
	struct vsvm_file *vfile = kzalloc(sizeof(*vfile), GFP_KERNEL_ACCOUNT);

	if (!vfile)
		return -ENOMEM;
	vfile->anon = anon_inode_create_getfile("[vsvm]", &vsvm_anon_fops, NULL, O_RDWR,
						NULL);
	if (IS_ERR(vfile->anon)) {
		int err = PTR_ERR(vfile->anon);

		kfree(vfile);
		return err;
	}
	lockdep_set_class(&vfile->anon->f_mapping->i_mmap_rwsem, &i_mmap_key);
	vfile->vsvm = to_vsvm(dev);
	mutex_init(&vfile->lock);
	file->driver_priv = vfile;
	return 0;
}

static void vsvm_postclose(struct drm_device *dev, struct drm_file *file)
{
	struct vsvm_file *vfile = file->driver_priv;

	if (vfile->client)
		drm_svm_atomic_fini(vfile->client);
	mutex_destroy(&vfile->lock);
	fput(vfile->anon);
	kfree(vfile);
}

/* Mappings of one file are not to be found by way of another's. */
static int vsvm_file_open(struct inode *inode, struct file *filp)
{
	int err = drm_open(inode, filp);
	struct drm_file *file = filp->private_data;
	struct vsvm_file *vfile;

	if (err)
		return err;
	vfile = file->driver_priv;
	filp->f_mapping = vfile->anon->f_mapping;
	return 0;
}

static int vsvm_file_release(struct inode *inode, struct file *filp)
{
	struct drm_svm_atomic *sa = vsvm_client(filp->private_data);

	if (sa)
		drm_svm_atomic_mute(sa);
	return drm_release(inode, filp);
}

static const struct file_operations vsvm_fops = {
	.owner = THIS_MODULE,
	.open = vsvm_file_open,
	.release = vsvm_file_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = vsvm_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static int delay_get(void *data, u64 *val)
{
	*val = *(u32 *)data;
	return 0;
}

static int delay_set(void *data, u64 val)
{
	if (val > MAX_DELAY_US)
		return -ERANGE;
	WRITE_ONCE(*(u32 *)data, val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(delay_fops, delay_get, delay_set, "%llu\n");

static void vsvm_debugfs_init(struct drm_minor *minor)
{
	struct vsvm_device *vsvm = to_vsvm(minor->dev);

	debugfs_create_file_unsafe("fault_delay_us", 0644, minor->debugfs_root,
				   &vsvm->fault_delay_us, &delay_fops);
	debugfs_create_file_unsafe("revoke_delay_us", 0644, minor->debugfs_root,
				   &vsvm->revoke_delay_us, &delay_fops);
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
	fault_create_debugfs_attr("fail_map", minor->debugfs_root, &vsvm->fail_map);
#endif
}

static const struct drm_driver vsvm_driver = {
	.driver_features = DRIVER_RENDER,
	.open = vsvm_open,
	.postclose = vsvm_postclose,
	.debugfs_init = vsvm_debugfs_init,
	.ioctls = vsvm_ioctls,
	.num_ioctls = ARRAY_SIZE(vsvm_ioctls),
	.fops = &vsvm_fops,
	.name = "vsvm",
	.desc = "Virtual device with shared virtual memory",
	.date = "20261121",
	.major = 1,
	.minor = 0,
};

static struct vsvm_device *vsvm_create(struct platform_device *platform)
{
	struct vsvm_device *vsvm;
	int err;

	vsvm = devm_drm_dev_alloc(&platform->dev, &vsvm_driver, struct vsvm_device, drm);
	if (IS_ERR(vsvm))
		return vsvm;
	vsvm->platform = platform;
#ifdef CONFIG_FAULT_INJECTION
	vsvm->fail_map = (struct fault_attr)FAULT_ATTR_INITIALIZER;
#endif
	err = drm_dev_register(&vsvm->drm, 0);
	return err ? ERR_PTR(err) : vsvm;
}

static int vsvm_add(unsigned int i)
{
	struct platform_device *platform;
	struct vsvm_device *vsvm;
	char name[16];

	/* Numbered by name: libdrm takes two devices whose modalias is the same for one. */
	snprintf(name, sizeof(name), "vsvm%u", i);
	platform = platform_device_register_simple(name, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	if (!devres_open_group(&platform->dev, NULL, GFP_KERNEL)) {
		platform_device_unregister(platform);
		return -ENOMEM;
	}
	vsvm = vsvm_create(platform);
	if (IS_ERR(vsvm)) {
		devres_release_group(&platform->dev, NULL);
		platform_device_unregister(platform);
		return PTR_ERR(vsvm);
	}
	vsvm_devices[i] = vsvm;
	return 0;
}

static void vsvm_remove(unsigned int i)
{
	struct platform_device *platform = vsvm_devices[i]->platform;

	drm_dev_unregister(&vsvm_devices[i]->drm);
	devres_release_group(&platform->dev, NULL);
	platform_device_unregister(platform);
}

static int __init vsvm_init(void)
{
	unsigned int i;
	int err;

	if (!devices || devices > MAX_DEVICES) {
		pr_err("vsvm: devices=%u is not 1 to %u\n", devices, MAX_DEVICES);
		return -EINVAL;
	}
	for (i = 0; i < devices; i++) {
		err = vsvm_add(i);
		if (err)
			goto out_remove;
	}
	return 0;

out_remove:
	while (i--)
		vsvm_remove(i);
	return err;
}

static void __exit vsvm_exit(void)
{
	unsigned int i = devices;

	while (i--)
		vsvm_remove(i);
}

module_init(vsvm_init);
module_exit(vsvm_exit);

MODULE_DESCRIPTION("Virtual device with shared virtual memory");
MODULE_LICENSE("Dual MIT/GPL");
