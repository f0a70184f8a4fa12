/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * VRAM that is system memory, for tests to migrate pages to without a GPU.
 */
#ifndef __NOUVEAU_DMEM_FAKE_H__
#define __NOUVEAU_DMEM_FAKE_H__

struct kunit;
struct nouveau_drm;

/* Gives @drm, which has a device and a client, its VRAM. */
int nouveau_dmem_fake_init(struct kunit *test, struct nouveau_drm *drm);
void nouveau_dmem_fake_fini(struct nouveau_drm *drm);

/* Let copies fail from now on, or work again. */
void nouveau_dmem_fake_break(struct nouveau_drm *drm, bool broken);

/* Let the next page that is copied be in use, so that it cannot be migrated. */
void nouveau_dmem_fake_pin(struct nouveau_drm *drm, bool pin);

/* What is at an address that is in VRAM as the GPU sees it; NULL elsewhere. */
void *nouveau_dmem_fake_at(struct nouveau_drm *drm, u64 addr);

#endif
