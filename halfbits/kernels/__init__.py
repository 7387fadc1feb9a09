"""Weight-only products that read the packed codes themselves: Triton for GPUs, numba for CPUs.

VERSION counts the GPU kernels: 1 decoded to float32 and multiplied one to four rows without the
matrix units; 2 decodes two weights at once and multiplies everything with them; 3 is 2 with the
kernel `row` for one row of x and int8; 4 adds `columns` for one row and int4; 5 keeps int4 in
blocks of 16 rows of W, takes a zero point away where a code is decoded, or in `columns` with the
sum of a group, and lets the groups of a tile be multiplied apart; 6 is 5 with the zero points of
`deep` as 4 had them; 7 starts all loads of a turn of `columns` together, tile by tile, with fewer
registers, and keeps the zero points of groups of 128 in `wide` out of the shared memory. A record
names the version that it measured.
"""

VERSION = 7
