// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VRAM that is system memory, for tests to migrate pages to without a GPU. Included by
 * nouveau_dmem.c, whose structures it fills in.
 */
#include <kunit/test.h>
#include <linux/dma-direct.h>

#include "nouveau_dmem_fake.h"

/* Where the GPU would see the first page: not where a mistake would look. */
#define FAKE_OFFSET	0x123400000ULL

struct nouveau_dmem_fake {
	struct nouveau_dmem dmem;
	struct nouveau_dmem_chunk chunk;
	struct nouveau_bo bo;
	struct nouveau_channel chan;
	struct nouveau_fence_chan fctx;
	struct nouveau_fence_priv fence;
	void *vram;
	bool broken;
	bool pin;
	struct folio *pinned;
};

static struct nouveau_dmem_fake *to_fake(struct nouveau_drm *drm)
{
	return container_of(drm->dmem, struct nouveau_dmem_fake, dmem);
}

void *nouveau_dmem_fake_at(struct nouveau_drm *drm, u64 addr)
{
	if (addr < FAKE_OFFSET || addr >= FAKE_OFFSET + DMEM_CHUNK_SIZE)
		return NULL;
	return to_fake(drm)->vram + (addr - FAKE_OFFSET);
}

void nouveau_dmem_fake_break(struct nouveau_drm *drm, bool broken)
{
	to_fake(drm)->broken = broken;
}

void nouveau_dmem_fake_pin(struct nouveau_drm *drm, bool pin)
{
	struct nouveau_dmem_fake *fake = to_fake(drm);

	fake->pin = pin;
	if (!pin && fake->pinned)
		folio_put(fake->pinned);
	fake->pinned = NULL;
}

static void *fake_aper(struct nouveau_drm *drm, enum nouveau_aper aper, u64 addr)
{
	if (aper == NOUVEAU_APER_HOST)
		return phys_to_virt(dma_to_phys(drm->dev->dev, addr));
	return nouveau_dmem_fake_at(drm, addr);
}

static int fake_copy(struct nouveau_drm *drm, u64 npages, enum nouveau_aper dst_aper,
		     u64 dst_addr, enum nouveau_aper src_aper, u64 src_addr)
{
	void *dst = fake_aper(drm, dst_aper, dst_addr);
	void *src = fake_aper(drm, src_aper, src_addr);
	struct nouveau_dmem_fake *fake = to_fake(drm);

	if (fake->broken)
		return -EBUSY;
	memcpy(dst, src, npages * PAGE_SIZE);
	if (fake->pin && !fake->pinned) {
		fake->pinned = virt_to_folio(src);
		folio_get(fake->pinned);
	}
	return 0;
}

static int fake_clear(struct nouveau_drm *drm, u32 length, enum nouveau_aper dst_aper,
		      u64 dst_addr)
{
	if (to_fake(drm)->broken)
		return -EBUSY;
	memset(fake_aper(drm, dst_aper, dst_addr), 0, length);
	return 0;
}

/* All that was emitted has happened. */
static int fake_emit(struct nouveau_fence *fence)
{
	return 0;
}

static u32 fake_read(struct nouveau_channel *chan)
{
	struct nouveau_fence_chan *fctx = chan->fence;

	return fctx->sequence;
}

static int fake_pages(struct nouveau_dmem_fake *fake, struct nouveau_drm *drm)
{
	struct dev_pagemap *pagemap = &fake->chunk.pagemap;
	struct resource *res;
	struct page *page;
	unsigned long i;
	void *ptr;

	res = request_free_mem_region(&iomem_resource, DMEM_CHUNK_SIZE, "nouveau test");
	if (IS_ERR(res))
		return PTR_ERR(res);
	pagemap->type = MEMORY_DEVICE_PRIVATE;
	pagemap->range.start = res->start;
	pagemap->range.end = res->end;
	pagemap->nr_range = 1;
	pagemap->ops = &nouveau_dmem_pagemap_ops;
	pagemap->owner = drm->dev;
	ptr = memremap_pages(pagemap, numa_node_id());
	if (IS_ERR(ptr)) {
		release_mem_region(pagemap->range.start, range_len(&pagemap->range));
		return PTR_ERR(ptr);
	}

	page = pfn_to_page(res->start >> PAGE_SHIFT);
	for (i = 0; i < DMEM_CHUNK_NPAGES; i++, page++) {
		page->zone_device_data = fake->dmem.free_pages;
		fake->dmem.free_pages = page;
	}
	return 0;
}

int nouveau_dmem_fake_init(struct kunit *test, struct nouveau_drm *drm)
{
	struct nouveau_dmem_fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	int ret;

	if (!fake)
		return -ENOMEM;
	fake->vram = kvzalloc(DMEM_CHUNK_SIZE, GFP_KERNEL);
	if (!fake->vram)
		return -ENOMEM;

	spin_lock_init(&fake->fctx.lock);
	INIT_LIST_HEAD(&fake->fctx.pending);
	kref_init(&fake->fctx.fence_ref);
	fake->fctx.emit = fake_emit;
	fake->fctx.read = fake_read;
	fake->chan.cli = &drm->client;
	fake->chan.fence = &fake->fctx;
	drm->fence = &fake->fence;

	fake->dmem.drm = drm;
	mutex_init(&fake->dmem.mutex);
	spin_lock_init(&fake->dmem.lock);
	INIT_LIST_HEAD(&fake->dmem.chunks);
	fake->dmem.migrate.copy_func = fake_copy;
	fake->dmem.migrate.clear_func = fake_clear;
	fake->dmem.migrate.chan = &fake->chan;
	fake->bo.offset = FAKE_OFFSET;
	fake->chunk.bo = &fake->bo;
	fake->chunk.drm = drm;
	ret = fake_pages(fake, drm);
	if (ret) {
		kvfree(fake->vram);
		return ret;
	}
	drm->dmem = &fake->dmem;
	return 0;
}

void nouveau_dmem_fake_fini(struct nouveau_drm *drm)
{
	struct nouveau_dmem_fake *fake = to_fake(drm);
	struct dev_pagemap *pagemap = &fake->chunk.pagemap;

	/* A test that failed may have left pages. */
	fake->broken = false;
	nouveau_dmem_fake_pin(drm, false);
	nouveau_dmem_evict_chunk(&fake->chunk);
	WARN_ON(fake->chunk.callocated);
	memunmap_pages(pagemap);
	release_mem_region(pagemap->range.start, range_len(&pagemap->range));
	kvfree(fake->vram);
	drm->dmem = NULL;
}
