/* SPDX-License-Identifier: MIT */

#ifndef NOUVEAU_SVM_H
#define NOUVEAU_SVM_H

/** Add the ioctls of shared virtual memory to those of the driver. */
void nouveau_svm_init(int (**ioctls)(int fd, unsigned long request, void *arg));

#endif
