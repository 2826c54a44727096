// What Swift's Glibc module does not have of the system: statfs(2) and adjtimex(2).
#ifndef FAREGATE_CMACHINE_H
#define FAREGATE_CMACHINE_H

#include <stdint.h>

// `f_type` of the file system that `path` is on; -1 with errno when it cannot be asked.
int64_t faregate_file_system_type(const char *path);

// Whether the kernel was told by a time service that its clock is right (1 or 0; -1 when it cannot
// be asked), and the most that it may be off, in microseconds.
int faregate_clock_is_synchronised(int64_t *max_error_us);

#endif
