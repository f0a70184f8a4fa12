// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * vsvm's engines: processes whose mapping of the file is the device's page table.
 * Their page faults are the device's faults, and taking a page away from the device
 * is unmapping it from them.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pfn_t.h>
#include <linux/sched/mm.h>

#include "vsvm_drv.h"

/* How much a fault maps of what the device has already. */
#define AROUND	(16 * PAGE_SIZE)

static struct vsvm_file *vma_vfile(struct vm_area_struct *vma)
{
	struct drm_file *file = vma->vm_file->private_data;

	return file->driver_priv;
}

/* The engine's address of a client's address. */
static unsigned long engine_address(struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_start + addr - (vma->vm_pgoff << PAGE_SHIFT);
}

static vm_fault_t insert(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long pfn, bool write)
{
	/* With a pfn_mkwrite operation, vm_page_prot is never writable. */
	vm_flags_t flags = write ? vma->vm_flags : vma->vm_flags & ~VM_WRITE;

	return vmf_insert_pfn_prot(vma, engine_address(vma, addr), pfn,
				   vm_get_page_prot(flags));
}

static bool injects_failure(struct vsvm_device *vsvm)
{
#ifdef CONFIG_FAULT_INJECTION
	return should_fail(&vsvm->fail_map, 1);
#else
	return false;
#endif
}

/*
 * Of an ioctl, there is nothing to map: engines fault on pages that the device has
 * already, as a device does whose TLB misses. @context is the engine's fault.
 */
static int vsvm_map(struct drm_svm_atomic *sa, unsigned long start,
		    struct page **pages, unsigned long npages, void *context)
{
	struct vsvm_file *vfile = container_of(sa, struct vsvm_file, sa);
	struct vm_fault *vmf = context;
	unsigned long i;

	if (injects_failure(vfile->vsvm))
		return -ENOMEM;
	for (i = 0; vmf && i < npages; i++)
		if (insert(vmf->vma, start + i * PAGE_SIZE, page_to_pfn(pages[i]),
			   true) & VM_FAULT_ERROR)
			return -ENOMEM;
	return 0;
}

static void vsvm_unmap(struct drm_svm_atomic *sa, unsigned long start,
		       unsigned long end)
{
	struct vsvm_file *vfile = container_of(sa, struct vsvm_file, sa);

	unmap_mapping_range(vfile->anon->f_mapping, start, end - start, 1);
	if (vfile->vsvm->revoke_delay_us)
		fsleep(vfile->vsvm->revoke_delay_us);
}

const struct drm_svm_atomic_ops vsvm_sa_ops = {
	.map = vsvm_map,
	.unmap = vsvm_unmap,
};

/* The client's lock, or its turn, is to be waited for without the engine's lock. */
static vm_fault_t wait_and_retry(struct vm_fault *vmf, unsigned long addr)
{
	struct file *filp = vmf->vma->vm_file;
	struct vsvm_file *vfile = vma_vfile(vmf->vma);

	/* Who calls pfn_mkwrite cannot do without the lock; the engine faults again. */
	if (pte_present(vmf->orig_pte))
		return VM_FAULT_NOPAGE;
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	get_file(filp);
	release_fault_lock(vmf);
	drm_svm_atomic_wait_turn(&vfile->sa, addr);
	fput(filp);
	return VM_FAULT_RETRY;
}

static vm_fault_t fault_of(enum drm_svm_atomic_reason reason)
{
	switch (reason) {
	case DRM_SVM_ATOMIC_OK:
	case DRM_SVM_ATOMIC_CONTENDED:
		return VM_FAULT_NOPAGE;
	case DRM_SVM_ATOMIC_NOMEM:
		return VM_FAULT_OOM;
	case DRM_SVM_ATOMIC_UNMAPPED:
	case DRM_SVM_ATOMIC_READONLY:
	case DRM_SVM_ATOMIC_DENIED:
	case DRM_SVM_ATOMIC_OUTSIDE:
		return VM_FAULT_SIGSEGV;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/* Memory that cannot be exclusive is coherent here: CPUs are what accesses it. */
static bool is_coherent(enum drm_svm_atomic_reason reason)
{
	return reason == DRM_SVM_ATOMIC_FILE || reason == DRM_SVM_ATOMIC_SHMEM ||
	       reason == DRM_SVM_ATOMIC_HUGETLB;
}

/* Map a page as the client has it, for reading, or for writing along with it. */
static vm_fault_t share_page(struct vm_fault *vmf, unsigned long addr, bool write)
{
	struct vsvm_file *vfile = vma_vfile(vmf->vma);
	struct drm_svm_atomic *sa = &vfile->sa;
	unsigned long pfn = 0;
	struct hmm_range range = {
		.notifier = drm_svm_atomic_notifier(sa, addr, DRM_SVM_ATOMIC_TAKE_NESTED),
		.start = addr,
		.end = addr + PAGE_SIZE,
		.hmm_pfns = &pfn,
		.default_flags = HMM_PFN_REQ_FAULT | (write ? HMM_PFN_REQ_WRITE : 0),
	};
	vm_fault_t ret;
	int err;

	if (range.notifier == ERR_PTR(-EWOULDBLOCK))
		return wait_and_retry(vmf, addr);
	if (IS_ERR(range.notifier))
		return VM_FAULT_SIGBUS;
	do {
		if (fatal_signal_pending(current))
			return VM_FAULT_SIGBUS;
		range.notifier_seq = mmu_interval_read_begin(range.notifier);
		if (!mmap_read_trylock(sa->mm))
			return wait_and_retry(vmf, addr);
		err = hmm_range_fault(&range);
		mmap_read_unlock(sa->mm);
		if (err && err != -EBUSY)
			return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGSEGV;
		if (err)
			continue;

		mutex_lock(&sa->lock);
		if (mmu_interval_read_retry(range.notifier, range.notifier_seq))
			err = -EBUSY;
		else
			ret = insert(vmf->vma, addr, pfn & ~HMM_PFN_FLAGS, write);
		mutex_unlock(&sa->lock);
	} while (err);
	return ret;
}

/* The client's address space must be there, and must not end in our hands. */
static vm_fault_t share(struct vm_fault *vmf, unsigned long addr, bool write)
{
	struct mm_struct *mm = vma_vfile(vmf->vma)->sa.mm;
	vm_fault_t ret;

	if (!mmget_not_zero(mm))
		return VM_FAULT_SIGBUS;
	ret = share_page(vmf, addr, write);
	mmput_async(mm);
	return ret;
}

static vm_fault_t take(struct vm_fault *vmf, unsigned long addr, unsigned long start,
		       unsigned long end)
{
	struct drm_svm_atomic *sa = &vma_vfile(vmf->vma)->sa;
	struct drm_svm_atomic_outcome outcome;
	int err;

	err = drm_svm_atomic_take(sa, start, end,
				  DRM_SVM_ATOMIC_TAKE_FAULT |
				  DRM_SVM_ATOMIC_TAKE_NOWAIT |
				  DRM_SVM_ATOMIC_TAKE_NESTED, vmf, &outcome);
	if (err == -EWOULDBLOCK)
		return wait_and_retry(vmf, addr);
	if (is_coherent(outcome.reason))
		return share(vmf, addr, true);
	return fault_of(outcome.reason);
}

static int touch_pte(pte_t *pte, unsigned long addr, void *data)
{
	return 0;
}

static vm_fault_t vsvm_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vsvm_file *vfile = vma_vfile(vma);
	unsigned long addr = vmf->pgoff << PAGE_SHIFT;
	unsigned long window = ALIGN_DOWN(vmf->address, AROUND);
	unsigned long start = max(window, vma->vm_start);
	unsigned long end = min(window + AROUND, vma->vm_end);

	if (vfile->vsvm->fault_delay_us)
		fsleep(vfile->vsvm->fault_delay_us);
	/* So that inserting, under a lock that reclaim takes, allocates nothing. */
	if (apply_to_page_range(vma->vm_mm, vmf->address & PAGE_MASK, PAGE_SIZE,
				touch_pte, NULL))
		return VM_FAULT_OOM;

	start = addr - ((vmf->address & PAGE_MASK) - start);
	end = addr + (end - (vmf->address & PAGE_MASK));
	drm_svm_atomic_held_around(&vfile->sa, addr, &start, &end);
	if (start < end)
		return take(vmf, addr, start, end);
	if (vmf->flags & FAULT_FLAG_WRITE)
		return take(vmf, addr, addr, addr + PAGE_SIZE);
	return share(vmf, addr, false);
}

/*
 * A page that is mapped for reading is to be written. Take it at once: if it were only
 * unmapped, an instruction that reads and then writes would read for ever.
 */
static vm_fault_t vsvm_mkwrite(struct vm_fault *vmf)
{
	struct vsvm_file *vfile = vma_vfile(vmf->vma);
	unsigned long addr = vmf->pgoff << PAGE_SHIFT;

	mutex_lock(&vfile->sa.lock);
	unmap_mapping_range(vfile->anon->f_mapping, addr, PAGE_SIZE, 1);
	mutex_unlock(&vfile->sa.lock);
	return take(vmf, addr, addr, addr + PAGE_SIZE);
}

static const struct vm_operations_struct vsvm_vm_ops = {
	.fault = vsvm_fault,
	.pfn_mkwrite = vsvm_mkwrite,
};

/**
 * vsvm_mmap() - become an engine
 * @filp: the file
 * @vma: the mapping, its offset an address of the client
 *
 * A client's notifiers unmap pages from its engines. So an engine can have no notifiers,
 * and be nobody's client: two processes that are each other's would wait for each other.
 *
 * Return: 0; ENXIO when the file is not bound, EDEADLK for a process that is a client
 * or was one, EINVAL for a private mapping, ERANGE for what is not shared.
 */
int vsvm_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_svm_atomic *sa = vsvm_client(filp->private_data);
	unsigned long start = vma->vm_pgoff << PAGE_SHIFT;
	unsigned long end = start + (vma->vm_end - vma->vm_start);
	int err;

	if (!sa)
		return -ENXIO;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (start >> PAGE_SHIFT != vma->vm_pgoff || end < start ||
	    !drm_svm_atomic_shares(sa, start, end))
		return -ERANGE;
	err = mm_refuse_notifiers(vma->vm_mm);
	if (err)
		return err;

	/* A child of an engine could be the client of another file, and so on. */
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_ops = &vsvm_vm_ops;
	return 0;
}
