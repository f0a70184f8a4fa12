/* SPDX-License-Identifier: MIT */
/*
 * The status of a kernel's event can be asked for while the kernel runs.
 */
#include "cltest.h"

#include <pthread.h>

static int *flag;

/* Ends the kernel also where the question does not return. */
static void *end_kernel(void *late)
{
	sleep(3);
	__atomic_store_n((int *)late, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	cl_kernel k;
	cl_event event;
	cl_int status;
	pthread_t thread;
	int late = 0;

	open_device();
	if (!(device_bits(CL_DEVICE_SVM_CAPABILITIES) & CL_DEVICE_SVM_FINE_GRAIN_BUFFER))
		skip("no fine-grained SVM");
	k = kernel(build("kernel void spin(volatile global int *flag) { while (!*flag) ; }",
			 "-cl-std=CL3.0"),
		   "spin");
	flag = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, 64, 0);
	if (!flag)
		fail("clSVMAlloc returned NULL");
	*flag = 0;
	CHECK(clSetKernelArgSVMPointer(k, 0, flag));
	event = launch(k, 1, 1);
	if (pthread_create(&thread, NULL, end_kernel, &late))
		fail("pthread_create");
	usleep(500000);
	status = event_status(event);
	if (__atomic_load_n(&late, __ATOMIC_SEQ_CST))
		fail("the status came with the end of the kernel");
	if (status == CL_COMPLETE)
		fail("the kernel did not wait");
	pthread_join(thread, NULL);
	CHECK(clFinish(queue));
	if (event_status(event) != CL_COMPLETE)
		fail("the event ended with %d", event_status(event));
	clSVMFree(context, flag);
	return 0;
}
