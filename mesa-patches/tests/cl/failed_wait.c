/* SPDX-License-Identifier: MIT */
/*
 * A blocking command says that an event which it waited for has failed, whatever status that has.
 */
#include "cltest.h"

int main(void)
{
	static const char from[64];
	cl_event event;
	char *memory;
	cl_int error;

	open_device();
	memory = clSVMAlloc(context, CL_MEM_READ_WRITE, sizeof(from), 0);
	if (!memory)
		skip("no SVM");
	event = clCreateUserEvent(context, &error);
	CHECK(error);
	CHECK(clSetUserEventStatus(event, -42));
	error = clEnqueueSVMMemcpy(queue, CL_TRUE, memory, from, sizeof(from), 1, &event, NULL);
	if (error != CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
		fail("clEnqueueSVMMemcpy: error %d", error);
	return 0;
}
