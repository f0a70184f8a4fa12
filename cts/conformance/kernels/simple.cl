// SPDX-License-Identifier: MIT
//
// Kernels that only write or read, for rules that are about memory and not about kernels.

// Every item writes its index plus @value.
__kernel void fill(__global uint *out, uint value)
{
	out[get_global_id(0)] = (uint)get_global_id(0) + value;
}

// Every item adds @value to its word.
__kernel void add(__global uint *words, uint value)
{
	words[get_global_id(0)] += value;
}

__kernel void copy(__global uint *out, __global const uint *in)
{
	out[get_global_id(0)] = in[get_global_id(0)];
}

__kernel void copy_constant(__global uint *out, __constant uint *in)
{
	out[get_global_id(0)] = in[get_global_id(0)];
}

// The address that the device has for @pointer.
__kernel void address(__global ulong *out, __global uchar *pointer)
{
	*out = (ulong)(uintptr_t)pointer;
}

// @box holds the address of @count words that the kernel is not given otherwise.
__kernel void fill_through(__global ulong *box, uint count, uint value)
{
	__global uint *words = (__global uint *)(uintptr_t)*box;

	for (uint i = 0; i < count; i++)
		words[i] = i + value;
}

// Every item writes one byte of @bytes, @stride apart.
__kernel void write_bytes(__global uchar *bytes, uint stride, uint value)
{
	bytes[get_global_id(0) * stride] = (uchar)value;
}

// Which optional parts of its atomics the compiler defines; query.c has the same bits.
__kernel void features(__global uint *out)
{
	uint bits = 0;

#ifdef __opencl_c_atomic_order_acq_rel
	bits |= 1;
#endif
#ifdef __opencl_c_atomic_order_seq_cst
	bits |= 2;
#endif
#ifdef __opencl_c_atomic_scope_device
	bits |= 4;
#endif
#ifdef __opencl_c_atomic_scope_all_devices
	bits |= 8;
#endif
	*out = bits;
}

__kernel void local_argument(__global uint *out, __local uint *scratch)
{
	scratch[get_local_id(0)] = 1;
	out[get_global_id(0)] = scratch[get_local_id(0)];
}
