// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KUnit tests of shared virtual memory without a GPU: the memory is a process's, what
 * is handed to the MMU ends here, faults come out of an array, and VRAM is system
 * memory. Included by nouveau_svm.c, as most of that is static.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/mman.h>
#include <nvif/client.h>
#include <nvif/driver.h>
#include <nvif/if000c.h>
#include <nvif/ioctl.h>

#include "nouveau_dmem_fake.h"

#define PAGES(n)	((unsigned long)(n) * PAGE_SIZE)
#define NPAGES		32
#define INSTANCE	0x5000

#define MAP_READ	(NVIF_VMM_PFNMAP_V0_V | NVIF_VMM_PFNMAP_V0_HOST)
#define MAP_WRITE	(MAP_READ | NVIF_VMM_PFNMAP_V0_W)
#define MAP_ATOMIC	(MAP_WRITE | NVIF_VMM_PFNMAP_V0_A)
#define MAP_VRAM	(NVIF_VMM_PFNMAP_V0_V | NVIF_VMM_PFNMAP_V0_W | \
			 NVIF_VMM_PFNMAP_V0_VRAM)

/* A call of the MMU. */
struct fake_call {
	u8 method;
	u8 page;
	u64 addr;
	u64 size;
	u64 phys[NPAGES];
	/* The first word of each page that was mapped. */
	u64 word[NPAGES];
};

/*
 * @memory: the process has pages there, aligned as the largest pages are. Those from
 * 8 to 11 are in the unmanaged part.
 */
struct fake_gpu {
	struct nouveau_drm drm;
	struct drm_device dev;
	struct nouveau_cli cli;
	struct drm_file file;
	unsigned long memory;

	u32 regs[2];
	u32 faults[8][8];

	u64 limit;
	u64 unmappable;
	int refusal;
	unsigned int ncalls;
	struct fake_call calls[64];
};

static void fake_pfnmap(struct fake_gpu *gpu, struct nvif_vmm_pfnmap_v0 *args,
			struct fake_call *call)
{
	unsigned long i;

	call->page = args->page;
	call->addr = args->addr;
	call->size = args->size;
	for (i = 0; i < args->size >> args->page; i++) {
		u64 phys = args->phys[i], addr = phys & NVIF_VMM_PFNMAP_V0_ADDR;

		if (args->addr + (i << args->page) == gpu->unmappable)
			args->phys[i] = NVIF_VMM_PFNMAP_V0_NONE;
		if (i >= NPAGES || !(phys & NVIF_VMM_PFNMAP_V0_V))
			continue;
		call->phys[i] = phys;
		if (phys & NVIF_VMM_PFNMAP_V0_VRAM)
			call->word[i] = *(u64 *)nouveau_dmem_fake_at(&gpu->drm, addr);
		else
			call->word[i] = *(u64 *)phys_to_virt(addr);
	}
}

static int fake_method(struct fake_gpu *gpu, u8 method, void *data, u32 size)
{
	struct gp100_vmm_fault_cancel_v0 *cancel = data;
	struct nvif_vmm_pfnmap_v0 *map = data;
	struct nvif_vmm_pfnclr_v0 *clear = data;
	struct fake_call *call = &gpu->calls[gpu->ncalls % ARRAY_SIZE(gpu->calls)];

	gpu->ncalls++;
	*call = (struct fake_call){ .method = method };
	switch (method) {
	case NVIF_VMM_V0_PFNMAP:
		/* As nvkm_uvmm_mthd_pfnmap() has it. */
		if (size != struct_size(map, phys, map->size >> map->page))
			return -EINVAL;
		fake_pfnmap(gpu, map, call);
		break;
	case NVIF_VMM_V0_PFNCLR:
		call->addr = clear->addr;
		call->size = clear->size;
		break;
	case GP100_VMM_VN_FAULT_CANCEL:
		call->addr = cancel->inst;
		break;
	}
	return 0;
}

static int fake_ioctl(void *priv, void *data, u32 size, void **hack)
{
	struct {
		struct nvif_ioctl_v0 ioctl;
		struct nvif_ioctl_new_v0 new;
		struct nvif_vmm_v0 vmm;
	} *create = data;
	struct {
		struct nvif_ioctl_v0 ioctl;
		struct nvif_ioctl_mthd_v0 mthd;
	} *call = data;
	struct fake_gpu *gpu = priv;

	switch (create->ioctl.type) {
	case NVIF_IOCTL_V0_NEW:
		create->vmm.page_nr = 0;
		create->vmm.size = gpu->limit;
		return gpu->refusal;
	case NVIF_IOCTL_V0_MTHD:
		return fake_method(gpu, call->mthd.method, call->mthd.data,
				   size - sizeof(*call));
	case NVIF_IOCTL_V0_SCLASS:
		gpu->ncalls++;
		return -ENODEV;
	}
	return 0;
}

static const struct nvif_driver fake_driver = {
	.name = "fake",
	.ioctl = fake_ioctl,
};

/* The calls of a method: how many, and the one of that number. */
static unsigned int calls_of(struct fake_gpu *gpu, u8 method)
{
	unsigned int i, n = 0;

	for (i = 0; i < min(gpu->ncalls, ARRAY_SIZE(gpu->calls)); i++)
		n += gpu->calls[i].method == method;
	return n;
}

static struct fake_call *call_of(struct kunit *test, u8 method, unsigned int number)
{
	struct fake_gpu *gpu = test->priv;
	unsigned int i;

	KUNIT_ASSERT_GT(test, calls_of(gpu, method), number);
	for (i = 0;; i++) {
		if (gpu->calls[i].method == method && !number--)
			return &gpu->calls[i];
	}
}

static void expect_range(struct kunit *test, struct fake_call *call, unsigned long start,
			 unsigned long end)
{
	KUNIT_EXPECT_EQ(test, call->addr, start);
	KUNIT_EXPECT_EQ(test, call->size, end - start);
}

static unsigned long at(struct kunit *test, unsigned int page)
{
	struct fake_gpu *gpu = test->priv;

	return gpu->memory + PAGES(page);
}

static int svm_init(struct fake_gpu *gpu, u64 addr, u64 size)
{
	struct drm_nouveau_svm_init args = {
		.unmanaged_addr = addr,
		.unmanaged_size = size,
	};

	return nouveau_svmm_init(&gpu->dev, &args, &gpu->file);
}

static struct nouveau_svmm *svmm_of(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	KUNIT_ASSERT_EQ(test, 0, svm_init(gpu, at(test, 8), PAGES(4)));
	KUNIT_ASSERT_EQ(test, 0, nouveau_svmm_join(gpu->cli.svm.svmm, INSTANCE));
	return gpu->cli.svm.svmm;
}

/* The CPU writes a number to each page: that of the page, from 1 on. */
static void write_pages(struct kunit *test, unsigned int first, unsigned int behind)
{
	for (; first < behind; first++)
		KUNIT_ASSERT_EQ(test, 0, put_user((u64)first + 1,
						  (u64 __user *)at(test, first)));
}

static void expect_pages(struct kunit *test, unsigned int first, unsigned int behind)
{
	u64 word;

	for (; first < behind; first++) {
		KUNIT_ASSERT_EQ(test, 0, get_user(word, (u64 __user *)at(test, first)));
		KUNIT_EXPECT_EQ(test, word, (u64)first + 1);
	}
}

static void map_memory(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, 2 * SZ_2M, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	gpu->memory = ALIGN(addr, SZ_2M);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(at(test, NPAGES), PAGES(NPAGES)));
}

static void make_device(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "nouveau-svm");
	struct fake_gpu *gpu = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	gpu->dev.dev = dev;
}

static void make_clients(struct fake_gpu *gpu)
{
	struct nouveau_cli *clients[] = { &gpu->drm.client, &gpu->cli };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clients); i++) {
		struct nouveau_cli *cli = clients[i];

		cli->drm = &gpu->drm;
		mutex_init(&cli->mutex);
		cli->base.driver = &fake_driver;
		cli->base.object.priv = gpu;
		cli->device.object.client = &cli->base;
		cli->mmu.object.client = &cli->base;
		cli->vmm.vmm.object.client = &cli->base;
	}
}

static void make_fault_buffer(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;
	struct nouveau_svm *svm = kzalloc(struct_size(svm, buffer, 1), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, svm);
	gpu->drm.svm = svm;
	svm->drm = &gpu->drm;
	mutex_init(&svm->mutex);
	INIT_LIST_HEAD(&svm->inst);
	svm->buffer[0].entries = ARRAY_SIZE(gpu->faults);
	svm->buffer[0].getaddr = 0;
	svm->buffer[0].putaddr = sizeof(gpu->regs[0]);
	svm->buffer[0].object.map.ptr = (void __force __iomem *)gpu->faults;
	gpu->drm.client.device.object.map.ptr = (void __force __iomem *)gpu->regs;
	INIT_WORK(&svm->buffer[0].work, nouveau_svm_fault);
	svm->buffer[0].fault = kunit_kcalloc(test, ARRAY_SIZE(gpu->faults),
					     sizeof(*svm->buffer[0].fault), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, svm->buffer[0].fault);
}

static int svm_test_init(struct kunit *test)
{
	struct fake_gpu *gpu = kunit_kzalloc(test, sizeof(*gpu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, gpu);
	test->priv = gpu;
	gpu->drm.dev = &gpu->dev;
	gpu->drm.client.device.info.family = NV_DEVICE_INFO_V0_PASCAL;
	gpu->file.driver_priv = &gpu->cli;
	gpu->limit = 1ULL << 49;
	gpu->unmappable = U64_MAX;
	make_device(test);
	make_clients(gpu);
	make_fault_buffer(test);
	map_memory(test);
	return 0;
}

static void svm_test_exit(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;
	unsigned int i;

	if (!gpu)
		return;
	nouveau_svmm_part(gpu->cli.svm.svmm, INSTANCE);
	nouveau_svmm_fini(&gpu->cli.svm.svmm);
	if (gpu->drm.dmem)
		nouveau_dmem_fake_fini(&gpu->drm);
	if (!gpu->drm.svm)
		return;
	for (i = 0; gpu->drm.svm->buffer[0].fault && i < ARRAY_SIZE(gpu->faults); i++)
		kfree(gpu->drm.svm->buffer[0].fault[i]);
	nouveau_svm_fini(&gpu->drm);
}

/* --- SVM_INIT --- */

static void init_refuses_cutouts(struct kunit *test)
{
	const u64 top = TASK_SIZE_MAX & PAGE_MASK;
	const u64 bad[][2] = {
		{ 1, PAGE_SIZE }, { 0, 1 }, { PAGE_SIZE, PAGE_SIZE - 1 },
		{ top, PAGE_SIZE }, { -PAGE_SIZE, 2 * PAGE_SIZE },
		{ PAGE_SIZE, -PAGE_SIZE },
	};
	struct fake_gpu *gpu = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, -EINVAL, svm_init(gpu, bad[i][0], bad[i][1]));
		KUNIT_EXPECT_NULL(test, gpu->cli.svm.svmm);
		KUNIT_EXPECT_NULL(test, nouveau_svm_atomic(&gpu->file));
	}
	gpu->refusal = -ENOSPC;
	KUNIT_EXPECT_EQ(test, -ENOSPC, svm_init(gpu, 0, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, gpu->cli.svm.svmm);
	gpu->refusal = 0;
	KUNIT_EXPECT_EQ(test, 0, svm_init(gpu, 0, PAGE_SIZE));
	KUNIT_EXPECT_PTR_EQ(test, nouveau_svm_atomic(&gpu->file),
			    &gpu->cli.svm.svmm->atomic);
	KUNIT_EXPECT_EQ(test, -EBUSY, svm_init(gpu, 0, PAGE_SIZE));
}

/* What is shared ends where the CPU's addresses end, or the GPU's. */
static void init_limits_addresses(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	gpu->limit = 1ULL << 40;
	KUNIT_ASSERT_EQ(test, 0, svm_init(gpu, 0, 0));
	KUNIT_EXPECT_EQ(test, gpu->cli.svm.svmm->atomic.end, 1UL << 40);
}

static void pascal_is_the_last(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;
	struct nouveau_svm *svm = gpu->drm.svm;

	gpu->drm.svm = NULL;
	gpu->drm.client.device.info.family = NV_DEVICE_INFO_V0_VOLTA;
	nouveau_svm_init(&gpu->drm);
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 0);
	KUNIT_EXPECT_NULL(test, gpu->drm.svm);
	KUNIT_EXPECT_LT(test, svm_init(gpu, 0, PAGE_SIZE), 0);
	gpu->drm.client.device.info.family = NV_DEVICE_INFO_V0_PASCAL;
	nouveau_svm_init(&gpu->drm);
	KUNIT_EXPECT_GT(test, gpu->ncalls, 0);
	gpu->drm.svm = svm;
}

/* --- SVM_BIND --- */

#define TO_VRAM		(NOUVEAU_SVM_BIND_TARGET__GPU_VRAM << NOUVEAU_SVM_BIND_TARGET_SHIFT)
#define TO_CPU		((u64)NOUVEAU_SVM_BIND_TARGET__CPU << NOUVEAU_SVM_BIND_TARGET_SHIFT)

static int svm_bind(struct kunit *test, struct drm_nouveau_svm_bind *args)
{
	struct fake_gpu *gpu = test->priv;

	args->result = 77;
	return nouveau_svmm_bind(&gpu->dev, args, &gpu->file);
}

/* The range is rounded to pages. */
static void expect_bind(struct kunit *test, u64 header, unsigned int first,
			unsigned int behind, u64 result)
{
	struct drm_nouveau_svm_bind args = {
		.header = header,
		.va_start = at(test, first) + 1,
		.va_end = at(test, behind) - 1,
	};

	KUNIT_EXPECT_EQ(test, 0, svm_bind(test, &args));
	KUNIT_EXPECT_EQ(test, args.result, result);
}

static void bind_refuses(struct kunit *test)
{
	const u64 start = at(test, 0), end = at(test, 2);
	const struct {
		struct drm_nouveau_svm_bind args;
		int err;
	} calls[] = {
		{ { TO_VRAM | 1ULL << NOUVEAU_SVM_BIND_VALID_BITS, start, end }, -EINVAL },
		{ { TO_VRAM | 1, start, end }, -EINVAL },
		{ { TO_VRAM | 1ULL << NOUVEAU_SVM_BIND_TARGET_SHIFT, start, end }, -EINVAL },
		{ { 1ULL << NOUVEAU_SVM_BIND_TARGET_SHIFT, start, end }, -EINVAL },
		{ { TO_VRAM, start, end, .stride = 1 }, -EINVAL },
		{ { TO_VRAM, start, end, .reserved0 = 1 }, -EINVAL },
		{ { TO_VRAM, start, end, .reserved1 = 1ULL << 63 }, -EINVAL },
		{ { TO_VRAM, start, start }, -EINVAL },
		{ { TO_VRAM, end, start }, -EINVAL },
		{ { TO_VRAM, start, 0 }, -EINVAL },
		{ { TO_VRAM, start, U64_MAX }, -EINVAL },
		{ { TO_VRAM, at(test, 7), at(test, 9) }, -ERANGE },
		{ { TO_CPU, at(test, 7), at(test, 8) + 1 }, -ERANGE },
		{ { TO_CPU, at(test, 12) - 1, at(test, 13) }, -ERANGE },
		{ { TO_VRAM, at(test, 0), at(test, 16) }, -ERANGE },
		{ { TO_VRAM, start, -PAGE_SIZE }, -ERANGE },
		/* All is well: but there is no VRAM. */
		{ { TO_VRAM, start, end }, -ENODEV },
		{ { TO_VRAM, start + 1, end - 1 }, -ENODEV },
		{ { TO_VRAM, at(test, 7), at(test, 8) }, -ENODEV },
		{ { TO_VRAM | 255 << NOUVEAU_SVM_BIND_PRIORITY_SHIFT, start, end,
		    .npages = 5 }, -ENODEV },
		{ { TO_CPU, start, end }, 0 },
		/* Nor is it an error that nothing is mapped. */
		{ { TO_VRAM, at(test, NPAGES), at(test, NPAGES + 1) }, 0 },
	};
	struct fake_gpu *gpu = test->priv;
	struct nouveau_svmm *svmm = svmm_of(test);
	struct drm_nouveau_svm_bind args;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		args = calls[i].args;
		KUNIT_EXPECT_EQ_MSG(test, calls[i].err, svm_bind(test, &args), "call %u", i);
		KUNIT_EXPECT_EQ(test, args.result, 0);
	}

	/* Another process, and no SVM_INIT. */
	args = calls[ARRAY_SIZE(calls) - 1].args;
	svmm->atomic.mm = NULL;
	KUNIT_EXPECT_EQ(test, -ESRCH, svm_bind(test, &args));
	svmm->atomic.mm = current->mm;
	gpu->cli.svm.svmm = NULL;
	KUNIT_EXPECT_EQ(test, -ENXIO, svm_bind(test, &args));
	gpu->cli.svm.svmm = svmm;
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 0);
}

static void bind_there_and_back(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;
	struct nouveau_svmm *svmm = svmm_of(test);
	struct fake_call *call;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, nouveau_dmem_fake_init(test, &gpu->drm));
	write_pages(test, 0, 4);

	/* Of six pages, two are yet to be used: those are for the GPU to read. */
	expect_bind(test, TO_VRAM, 0, 6, 6);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 1);
	call = call_of(test, NVIF_VMM_V0_PFNMAP, 0);
	KUNIT_EXPECT_EQ(test, call->page, PAGE_SHIFT);
	expect_range(test, call, at(test, 0), at(test, 6));
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, call->phys[i] & ~NVIF_VMM_PFNMAP_V0_ADDR,
				i < 4 ? MAP_VRAM : MAP_VRAM & ~NVIF_VMM_PFNMAP_V0_W);
		KUNIT_EXPECT_EQ(test, call->word[i], i < 4 ? i + 1 : 0);
	}
	expect_bind(test, TO_VRAM, 0, 6, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&svmm->refs), 1 + 6);

	/* The CPU takes back a page by itself, the process three, then the rest. */
	expect_pages(test, 3, 4);
	gpu->ncalls = 0;
	expect_bind(test, TO_CPU, 1, 5, 3);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 0);
	expect_range(test, call_of(test, NVIF_VMM_V0_PFNCLR, 0), at(test, 1), at(test, 2));
	expect_range(test, call_of(test, NVIF_VMM_V0_PFNCLR, 1), at(test, 2), at(test, 3));
	expect_range(test, call_of(test, NVIF_VMM_V0_PFNCLR, 2), at(test, 4), at(test, 5));
	expect_bind(test, TO_CPU, 0, 8, 2);
	expect_bind(test, TO_CPU, 0, 8, 0);
	expect_pages(test, 0, 4);
	KUNIT_EXPECT_EQ(test, kref_read(&svmm->refs), 1);
}

/* What cannot be copied stays where it is, in one piece, and is not counted. */
static void bind_copes_with_errors(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	KUNIT_ASSERT_EQ(test, 0, nouveau_dmem_fake_init(test, &gpu->drm));
	write_pages(test, 0, 4);
	nouveau_dmem_fake_break(&gpu->drm, true);
	expect_bind(test, TO_VRAM, 0, 4, 0);
	KUNIT_EXPECT_EQ(test, call_of(test, NVIF_VMM_V0_PFNMAP, 0)->phys[0], 0);
	nouveau_dmem_fake_break(&gpu->drm, false);
	nouveau_dmem_fake_pin(&gpu->drm, true);
	expect_bind(test, TO_VRAM, 0, 4, 3);
	KUNIT_EXPECT_EQ(test, call_of(test, NVIF_VMM_V0_PFNMAP, 1)->phys[0], 0);
	KUNIT_EXPECT_NE(test, call_of(test, NVIF_VMM_V0_PFNMAP, 1)->phys[1], 0);
	nouveau_dmem_fake_pin(&gpu->drm, false);
	expect_bind(test, TO_VRAM, 0, 4, 1);
	nouveau_dmem_fake_break(&gpu->drm, true);
	expect_bind(test, TO_CPU, 0, 4, 0);
	nouveau_dmem_fake_break(&gpu->drm, false);
	expect_bind(test, TO_CPU, 0, 4, 4);
	expect_pages(test, 0, 4);
}

static void vram_outlives_the_client(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	KUNIT_ASSERT_EQ(test, 0, nouveau_dmem_fake_init(test, &gpu->drm));
	write_pages(test, 0, 4);
	expect_bind(test, TO_VRAM, 0, 4, 4);
	nouveau_svmm_part(gpu->cli.svm.svmm, INSTANCE);
	nouveau_svmm_fini(&gpu->cli.svm.svmm);
	mmu_notifier_synchronize();
	gpu->ncalls = 0;
	expect_pages(test, 0, 4);
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 0);
}

/* --- Exclusive access --- */

static int acquire(struct kunit *test, unsigned int first, unsigned int behind,
		   struct drm_svm_atomic_acquire *args)
{
	struct fake_gpu *gpu = test->priv;

	*args = (struct drm_svm_atomic_acquire){
		.start = at(test, first),
		.length = PAGES(behind - first),
	};
	return drm_svm_atomic_acquire_ioctl(nouveau_svm_atomic(&gpu->file), args);
}

static void a_range_is_mapped_at_once(struct kunit *test)
{
	struct drm_svm_atomic_acquire args;
	struct fake_gpu *gpu = test->priv;
	struct fake_call *call;
	unsigned int i;

	svmm_of(test);
	write_pages(test, 0, 7);
	gpu->ncalls = 0;
	KUNIT_ASSERT_EQ(test, 0, acquire(test, 1, 7, &args));
	KUNIT_EXPECT_EQ(test, args.pages, 6);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 1);
	call = call_of(test, NVIF_VMM_V0_PFNMAP, 0);
	KUNIT_EXPECT_EQ(test, call->page, PAGE_SHIFT);
	expect_range(test, call, at(test, 1), at(test, 7));
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, call->phys[i] & ~NVIF_VMM_PFNMAP_V0_ADDR, MAP_ATOMIC);
		KUNIT_EXPECT_EQ(test, call->word[i], i + 2);
	}

	/* It is unmapped before the CPU gets on. */
	gpu->ncalls = 0;
	expect_pages(test, 2, 3);
	call = call_of(test, NVIF_VMM_V0_PFNCLR, 0);
	KUNIT_EXPECT_LE(test, call->addr, at(test, 2));
	KUNIT_EXPECT_GE(test, call->addr + call->size, at(test, 3));
}

static void what_cannot_be_mapped_is_told(struct kunit *test)
{
	struct drm_svm_atomic_acquire args;
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	write_pages(test, 0, 4);
	gpu->unmappable = at(test, 2);
	KUNIT_EXPECT_EQ(test, -ENOMEM, acquire(test, 0, 4, &args));
	KUNIT_EXPECT_EQ(test, args.reason, DRM_SVM_ATOMIC_NOMEM);
	KUNIT_EXPECT_EQ(test, args.pages, 0);
	KUNIT_EXPECT_EQ(test, gpu->calls[gpu->ncalls - 1].method, NVIF_VMM_V0_PFNCLR);
	expect_range(test, &gpu->calls[gpu->ncalls - 1], at(test, 0), at(test, 4));
	gpu->unmappable = U64_MAX;
	KUNIT_EXPECT_EQ(test, 0, acquire(test, 0, 4, &args));
	KUNIT_EXPECT_EQ(test, -ERANGE, acquire(test, 6, 9, &args));
}

/* --- What the CPU invalidates --- */

static int invalidate(struct kunit *test, unsigned int first, unsigned int behind,
		      enum mmu_notifier_event event, void *owner, unsigned int flags)
{
	struct fake_gpu *gpu = test->priv;
	struct mmu_notifier *notifier = &gpu->cli.svm.svmm->notifier;
	struct mmu_notifier_range range;

	gpu->ncalls = 0;
	mmu_notifier_range_init_owner(&range, event, flags, current->mm, at(test, first),
				      at(test, behind), owner);
	return notifier->ops->invalidate_range_start(notifier, &range);
}

static void unmapping_spares_the_cutout(struct kunit *test)
{
	const struct {
		unsigned int first, behind, n;
		unsigned int cleared[2][2];
	} ranges[] = {
		{ 2, 5, 1, { { 2, 5 } } },
		{ 2, 8, 1, { { 2, 8 } } },
		{ 2, 9, 1, { { 2, 8 } } },
		{ 8, 12, 0 },
		{ 9, 11, 0 },
		{ 10, 14, 1, { { 12, 14 } } },
		{ 12, 14, 1, { { 12, 14 } } },
		{ 13, 15, 1, { { 13, 15 } } },
		{ 2, 14, 2, { { 2, 8 }, { 12, 14 } } },
	};
	struct fake_gpu *gpu = test->priv;
	struct nouveau_svmm *svmm = svmm_of(test);
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		KUNIT_EXPECT_EQ(test, 0, invalidate(test, ranges[i].first, ranges[i].behind,
						    MMU_NOTIFY_UNMAP, NULL,
						    MMU_NOTIFIER_RANGE_BLOCKABLE));
		KUNIT_ASSERT_EQ(test, gpu->ncalls, ranges[i].n);
		for (n = 0; n < gpu->ncalls; n++)
			expect_range(test, call_of(test, NVIF_VMM_V0_PFNCLR, n),
				     at(test, ranges[i].cleared[n][0]),
				     at(test, ranges[i].cleared[n][1]));
		gpu->ncalls = 0;
		svmm->atomic.ops->unmap(&svmm->atomic, at(test, ranges[i].first),
					at(test, ranges[i].behind));
		KUNIT_EXPECT_EQ(test, gpu->ncalls, ranges[i].n);
	}

	/* Its own migrations do that for themselves; and it may not sleep. */
	KUNIT_EXPECT_EQ(test, 0, invalidate(test, 0, 1, MMU_NOTIFY_MIGRATE, &gpu->dev,
					    MMU_NOTIFIER_RANGE_BLOCKABLE));
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 0);
	KUNIT_EXPECT_EQ(test, 0, invalidate(test, 0, 1, MMU_NOTIFY_MIGRATE, test,
					    MMU_NOTIFIER_RANGE_BLOCKABLE));
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, invalidate(test, 0, 1, MMU_NOTIFY_UNMAP, NULL, 0));
	KUNIT_EXPECT_EQ(test, gpu->ncalls, 0);
}

/* --- Faults of the GPU --- */

static void add_fault(struct fake_gpu *gpu, u32 inst, u64 addr, u32 access)
{
	u32 *fault = gpu->faults[gpu->regs[1]++];

	fault[0] = inst;
	fault[2] = lower_32_bits(addr);
	fault[3] = upper_32_bits(addr);
	fault[7] = BIT(31) | access << 16;
}

static void handle_faults(struct fake_gpu *gpu)
{
	gpu->ncalls = 0;
	nouveau_svm_fault(&gpu->drm.svm->buffer[0].work);
	gpu->regs[0] = 0;
	gpu->regs[1] = 0;
	gpu->drm.svm->buffer[0].get = 0;
	gpu->drm.svm->buffer[0].put = 0;
}

/* One fault, and what it has mapped: @flags 0 is nothing. */
static void expect_mapped(struct kunit *test, unsigned int page, u32 access, u64 flags,
			  u64 word)
{
	struct fake_gpu *gpu = test->priv;
	struct fake_call *call;

	add_fault(gpu, INSTANCE, at(test, page), access);
	handle_faults(gpu);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_CANCEL), 0);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_REPLAY), 1);
	KUNIT_ASSERT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), !!flags);
	if (!flags)
		return;
	call = call_of(test, NVIF_VMM_V0_PFNMAP, 0);
	KUNIT_EXPECT_EQ(test, call->page, PAGE_SHIFT);
	expect_range(test, call, at(test, page), at(test, page + 1));
	KUNIT_EXPECT_EQ(test, call->phys[0] & ~NVIF_VMM_PFNMAP_V0_ADDR, flags);
	KUNIT_EXPECT_EQ(test, call->word[0], word);
}

static void expect_cancelled(struct kunit *test, u32 inst, unsigned int page, u32 access)
{
	struct fake_gpu *gpu = test->priv;

	add_fault(gpu, inst, at(test, page), access);
	handle_faults(gpu);
	KUNIT_EXPECT_EQ(test, call_of(test, GP100_VMM_VN_FAULT_CANCEL, 0)->addr, inst);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_REPLAY), 0);
}

static void faults_map_what_they_need(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	write_pages(test, 0, 4);
	expect_mapped(test, 0, FAULT_ACCESS_READ, MAP_WRITE, 1);
	expect_mapped(test, 1, FAULT_ACCESS_WRITE, MAP_WRITE, 2);
	expect_mapped(test, 2, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 3);
	expect_mapped(test, 3, FAULT_ACCESS_PREFETCH, MAP_WRITE, 4);
	/* Pages that nobody has written to. */
	expect_mapped(test, 4, FAULT_ACCESS_PREFETCH, 0, 0);
	expect_mapped(test, 4, FAULT_ACCESS_READ, MAP_READ, 0);
	expect_mapped(test, 5, FAULT_ACCESS_WRITE, MAP_WRITE, 0);
	expect_mapped(test, 6, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 0);

	KUNIT_ASSERT_EQ(test, 0, nouveau_dmem_fake_init(test, &gpu->drm));
	expect_bind(test, TO_VRAM, 0, 2, 2);
	expect_mapped(test, 0, FAULT_ACCESS_READ, MAP_VRAM, 1);
	expect_mapped(test, 1, FAULT_ACCESS_WRITE, MAP_VRAM, 2);
	expect_mapped(test, 1, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 2);
}

static void each_fault_by_its_own_type(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	write_pages(test, 0, 3);
	add_fault(gpu, INSTANCE, at(test, 0), FAULT_ACCESS_READ);
	add_fault(gpu, INSTANCE, at(test, 1), FAULT_ACCESS_ATOMIC);
	add_fault(gpu, INSTANCE, at(test, 2), FAULT_ACCESS_WRITE);
	handle_faults(gpu);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 3);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_REPLAY), 1);
	KUNIT_EXPECT_FALSE(test, call_of(test, NVIF_VMM_V0_PFNMAP, 0)->phys[0] &
			   NVIF_VMM_PFNMAP_V0_A);
	KUNIT_EXPECT_TRUE(test, call_of(test, NVIF_VMM_V0_PFNMAP, 1)->phys[0] &
			  NVIF_VMM_PFNMAP_V0_A);
	KUNIT_EXPECT_FALSE(test, call_of(test, NVIF_VMM_V0_PFNMAP, 2)->phys[0] &
			   NVIF_VMM_PFNMAP_V0_A);
}

/* A fault that would have to wait is replayed: somebody else's may be next. */
static void faults_do_not_wait(struct kunit *test)
{
	struct fake_gpu *gpu = test->priv;

	svmm_of(test);
	write_pages(test, 0, 2);
	expect_mapped(test, 0, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 1);
	mmap_write_lock(current->mm);
	add_fault(gpu, INSTANCE, at(test, 1), FAULT_ACCESS_ATOMIC);
	handle_faults(gpu);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 0);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_CANCEL), 0);
	KUNIT_EXPECT_EQ(test, calls_of(gpu, GP100_VMM_VN_FAULT_REPLAY), 1);
	expect_mapped(test, 1, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 2);
}

static void faults_are_cancelled(struct kunit *test)
{
	struct drm_svm_atomic_set_policy deny = {
		.start = at(test, 5),
		.length = PAGE_SIZE,
		.mode = DRM_SVM_ATOMIC_MODE_DENY,
	};
	struct fake_gpu *gpu = test->priv;
	u32 access;

	svmm_of(test);
	write_pages(test, 0, NPAGES);
	for (access = FAULT_ACCESS_READ; access <= FAULT_ACCESS_PREFETCH; access++) {
		/* In the cutout, though the CPU has pages there. */
		expect_cancelled(test, INSTANCE, 8, access);
		KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 0);
		expect_cancelled(test, INSTANCE, 11, access);
		KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 0);
		expect_cancelled(test, INSTANCE + 1, 0, access);
		KUNIT_EXPECT_EQ(test, calls_of(gpu, NVIF_VMM_V0_PFNMAP), 0);
		gpu->unmappable = at(test, access);
		expect_cancelled(test, INSTANCE, access, access);
		gpu->unmappable = U64_MAX;
	}
	expect_cancelled(test, INSTANCE, NPAGES, FAULT_ACCESS_READ);
	expect_cancelled(test, INSTANCE, NPAGES, FAULT_ACCESS_WRITE);
	expect_cancelled(test, INSTANCE, NPAGES, FAULT_ACCESS_ATOMIC);
	KUNIT_ASSERT_EQ(test, 0, drm_svm_atomic_set_policy_ioctl(nouveau_svm_atomic(&gpu->file),
								 &deny));
	expect_cancelled(test, INSTANCE, 5, FAULT_ACCESS_ATOMIC);
	expect_mapped(test, 5, FAULT_ACCESS_WRITE, MAP_WRITE, 6);
	expect_mapped(test, 7, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 8);
	expect_mapped(test, 12, FAULT_ACCESS_ATOMIC, MAP_ATOMIC, 13);
}

static void large_pages_stay_outside_the_cutout(struct kunit *test)
{
	const unsigned int order = get_order(SZ_2M);
	struct {
		struct nouveau_pfnmap_args args;
		u64 phys[1];
	} map = {};
	struct nouveau_svmm *svmm = svmm_of(test);
	struct page *page = alloc_pages(GFP_KERNEL, order);
	unsigned long hmm_pfn;
	struct hmm_range range = { .hmm_pfns = &hmm_pfn };

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* The tenth page of one, for which there was a fault. */
	hmm_pfn = (page_to_pfn(page) + 10) | HMM_PFN_VALID | HMM_PFN_WRITE |
		  (unsigned long)order << HMM_PFN_ORDER_SHIFT;
	map.args.p.addr = at(test, 512 + 10);
	nouveau_hmm_convert_pfn(svmm, &range, &map.args);
	KUNIT_EXPECT_EQ(test, map.args.p.page, 21);
	KUNIT_EXPECT_EQ(test, map.args.p.addr, at(test, 512));
	KUNIT_EXPECT_EQ(test, map.args.p.size, SZ_2M);
	KUNIT_EXPECT_EQ(test, map.args.p.phys[0], page_to_phys(page) | MAP_WRITE);

	/* Read-only, and with the cutout close by: the page alone. */
	hmm_pfn &= ~HMM_PFN_WRITE;
	map.args.p.addr = at(test, 20);
	nouveau_hmm_convert_pfn(svmm, &range, &map.args);
	KUNIT_EXPECT_EQ(test, map.args.p.page, PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, map.args.p.addr, at(test, 20));
	KUNIT_EXPECT_EQ(test, map.args.p.size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, map.args.p.phys[0], page_to_phys(page + 10) | MAP_READ);

	hmm_pfn = 0;
	nouveau_hmm_convert_pfn(svmm, &range, &map.args);
	KUNIT_EXPECT_EQ(test, map.args.p.phys[0], NVIF_VMM_PFNMAP_V0_NONE);
	__free_pages(page, order);
}

static struct kunit_case svm_cases[] = {
	KUNIT_CASE(init_refuses_cutouts),
	KUNIT_CASE(init_limits_addresses),
	KUNIT_CASE(pascal_is_the_last),
	KUNIT_CASE(bind_refuses),
	KUNIT_CASE(bind_there_and_back),
	KUNIT_CASE(bind_copes_with_errors),
	KUNIT_CASE(vram_outlives_the_client),
	KUNIT_CASE(a_range_is_mapped_at_once),
	KUNIT_CASE(what_cannot_be_mapped_is_told),
	KUNIT_CASE(unmapping_spares_the_cutout),
	KUNIT_CASE(faults_map_what_they_need),
	KUNIT_CASE(each_fault_by_its_own_type),
	KUNIT_CASE(faults_do_not_wait),
	KUNIT_CASE(faults_are_cancelled),
	KUNIT_CASE(large_pages_stay_outside_the_cutout),
	{}
};

static struct kunit_suite svm_suite = {
	.name = "nouveau_svm",
	.init = svm_test_init,
	.exit = svm_test_exit,
	.test_cases = svm_cases,
};

kunit_test_suite(svm_suite);
