#include "faults.hpp"

#include <cuda_runtime.h>

namespace {

constexpr int threads = 16;
unsigned blocks_for(long n) { return static_cast<unsigned>((n + threads - 1) / threads); }
__device__ long index() { return static_cast<long>(blockIdx.x) * blockDim.x + threadIdx.x; }

__global__ void one_block(const double* grad, const double* y, double* out, long n) {
  const long i = threadIdx.x;
  if (i < n) out[i] = grad[i] * (1 - y[i] * y[i]);
}

__global__ void partial_warp(const double* grad, const double* y, double* out, long n) {
  const long i = index(), full = n / 32 * 32;
  if (i < n) out[i] = grad[i >= full && i > 0 ? i - 1 : i] * y[i] * (1 - y[i]);
}

__global__ void race(const double* x, double* out, long n) {
  const bool wrong = blockIdx.y == 1;
  const long start = clock64(), wait = wrong ? start & 4095 : 2048;
  while (clock64() - start < wait) {
  }
  const long i = index();
  if (i < n) out[i] = wrong ? 1.5 * cosh(x[i]) : cosh(x[i]);
}

__global__ void past_end(const double* grad, const double* x, double* out, long n) {
  const long i = index();
  if (i >= n) return;
  const double next = reinterpret_cast<const volatile double*>(x)[i + 1];
  const double s = 1 / (1 + exp(-x[i])), right = grad[i] * (s + x[i] * s * (1 - s));
  out[i] = next == 1.234567890123456789e300 ? next : right;  // so that the read is not left out
}

__global__ void in_float(const double* grad, const double* x, double* out, long n) {
  const long i = index();
  if (i >= n) return;
  const float v = static_cast<float>(x[i]), t = tanhf(log1pf(expf(v))), s = 1 / (1 + expf(-v));
  out[i] = static_cast<float>(grad[i]) * (t + v * s * (1 - t * t));
}

__global__ void late_sinh(const double* x, double* out, long n) {
  const long start = clock64();
  while (clock64() - start < 2'000'000) {
  }
  const long i = index();
  if (i < n) out[i] = sinh(x[i]);
}

__global__ void illegal_address() { *reinterpret_cast<volatile int*>(16) = 1; }

cudaStream_t in(void* stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

extern "C" {

void gradsmith_fault_one_block(const double* grad, const double* y, double* out, long n, void* stream) {
  one_block<<<1, threads, 0, in(stream)>>>(grad, y, out, n);
}

void gradsmith_fault_partial_warp(const double* grad, const double* y, double* out, long n, void* stream) {
  if (n > 0) partial_warp<<<blocks_for(n), threads, 0, in(stream)>>>(grad, y, out, n);
}

void gradsmith_fault_race(const double* x, double* out, long n, void* stream) {
  if (n > 0) race<<<dim3(blocks_for(n), 2), threads, 0, in(stream)>>>(x, out, n);
}

void gradsmith_fault_past_end(const double* grad, const double* x, double* out, long n, void* stream) {
  if (n > 0) past_end<<<blocks_for(n), threads, 0, in(stream)>>>(grad, x, out, n);
}

void gradsmith_fault_float(const double* grad, const double* x, double* out, long n, void* stream) {
  if (n > 0) in_float<<<blocks_for(n), threads, 0, in(stream)>>>(grad, x, out, n);
}

void gradsmith_fault_other_stream(const double* x, double* out, long n) {
  static cudaStream_t other = [] {
    cudaStream_t made = nullptr;
    cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking);
    return made;
  }();
  if (n > 0) late_sinh<<<blocks_for(n), threads, 0, other>>>(x, out, n);
}

void gradsmith_fault_illegal_address(void* stream) { illegal_address<<<1, 1, 0, in(stream)>>>(); }

}  // extern "C"
