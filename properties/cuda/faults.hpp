// Kernels of CUDA that are wrong on purpose, as plain functions: nvcc compiles them without LibTorch, the host's compiler
// registers them with LibTorch without CUDA. Pointers are of the device, `n` counts elements, `stream` is a cudaStream_t.
#pragma once

extern "C" {
/// grad * (1 - y * y): nothing is written beyond the first block of 16.
void gradsmith_fault_one_block(const double* grad, const double* y, double* out, long n, void* stream);
/// grad * y * (1 - y): behind the last full warp the cotangent is that of the element before.
void gradsmith_fault_partial_warp(const double* grad, const double* y, double* out, long n, void* stream);
/// cosh(x): two blocks write each element, one of them wrongly; the later one wins.
void gradsmith_fault_race(const double* x, double* out, long n, void* stream);
/// The derivative of silu, right; one element behind the end of `x` is read.
void gradsmith_fault_past_end(const double* grad, const double* x, double* out, long n, void* stream);
/// The derivative of mish, in float.
void gradsmith_fault_float(const double* grad, const double* x, double* out, long n, void* stream);
/// sinh(x), late and in a stream of its own, which nobody waits for.
void gradsmith_fault_other_stream(const double* x, double* out, long n);
/// Writes to an address that nobody owns.
void gradsmith_fault_illegal_address(void* stream);
}
