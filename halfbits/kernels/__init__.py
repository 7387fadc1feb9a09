"""Weight-only products that read the packed codes themselves: Triton for GPUs, numba for CPUs."""
