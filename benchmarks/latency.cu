// What one warp waits for an instruction or a load, and what many loads in flight reach together.
#include <cstdio>
#define TIMED(name, T, step)                                                  \
  __global__ void name(T *out, T y, T z, long long *took) {                   \
    T x = *out;                                                               \
    long long start = clock64();                                              \
    _Pragma("unroll") for (int i = 0; i < 256; ++i) step;                     \
    *took = clock64() - start, *out = x;                                      \
  }
TIMED(float_add, float, x = x + y)
TIMED(float_multiply, float, x = x * y)
TIMED(float_multiply_add, float, x = x * y + z)
TIMED(float_divide, float, x = z / x)
TIMED(int_add, int, asm volatile("add.s32 %0, %0, %1;" : "+r"(x) : "r"(y)))  // would be one product
TIMED(int_multiply, int, x = x * y)
TIMED(int_multiply_add, int, x = x * y + z)
TIMED(int_divide, int, x = z / (x | 1))
__global__ void load(const int *next, int *out, long long *took) {
  int at = *out;
  long long start = clock64();
  for (int i = 0; i < 4096; ++i) at = next[at];
  *took = (clock64() - start) / 16, *out = at;
}
template <class T> __global__ void read(const T *from, float *out, size_t n) {
  float sum = 0;
#pragma unroll 1
  for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    if (T one = from[i]; (sum += *(float *)&one) == 1e30f) break;
  if (sum == 1) *out = sum;
}
template <class T> float milliseconds(int blocks, const float *from, float *out, size_t bytes) {
  int shared = (227 * 1024 / blocks - 1024) / 128 * 128;  // no more blocks than these fit an SM
  cudaFuncSetAttribute(read<T>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
  cudaEvent_t start, end;
  cudaEventCreate(&start), cudaEventCreate(&end);
  float took;
  for (int run = 0; run < 3; ++run) {
    cudaEventRecord(start);
    read<T><<<132 * blocks, 128, shared>>>((const T *)from, out, bytes / sizeof(T));
    cudaEventRecord(end), cudaEventSynchronize(end), cudaEventElapsedTime(&took, start, end);
  }
  return took;
}
int main() {
  size_t bytes = 1ul << 32, n = bytes / 4;
  float *memory, *out;
  long long *took, cycles;
  cudaMalloc(&memory, bytes), cudaMalloc(&out, 4), cudaMalloc(&took, 8);
#define TELL(name, T, y, z)                                                   \
  for (int run = 0; run < 3; ++run) cudaMemset(out, 64, 4), name<<<1, 1>>>((T *)out, y, z, took); \
  cudaMemcpy(&cycles, took, 8, cudaMemcpyDeviceToHost);                       \
  printf("cycles," #name ",%.2f\n", cycles / 256.);
  TELL(float_add, float, 1.5f, 2.f)
  TELL(float_multiply, float, 1.001f, 2.f)
  TELL(float_multiply_add, float, 1.001f, 2.f)
  TELL(float_divide, float, 1.5f, 2.f)
  TELL(int_add, int, 5, 7)
  TELL(int_multiply, int, 5, 7)
  TELL(int_multiply_add, int, 5, 7)
  TELL(int_divide, int, 5, 70000)
  int *next = (int *)malloc(bytes);
  for (size_t i = 0; i < n; ++i) next[i] = (i + 2080) % n;  // another line, seldom another page
  cudaMemcpy(memory, next, bytes, cudaMemcpyHostToDevice), cudaMemset(out, 0, 4);
  load<<<1, 1>>>((int *)memory, (int *)out, took);
  cudaMemcpy(&cycles, took, 8, cudaMemcpyDeviceToHost);
  printf("cycles,load,%.2f\n", cycles / 256.);
  for (int blocks = 1; blocks <= 16; blocks *= 2)
    printf("bandwidth,%d,4,%.4e\nbandwidth,%d,16,%.4e\n", 128 * blocks,
           bytes / milliseconds<float>(blocks, memory, out, bytes) * 1e3, 128 * blocks,
           bytes / milliseconds<float4>(blocks, memory, out, bytes) * 1e3);
}
