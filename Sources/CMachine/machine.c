#include "CMachine.h"

#include <sys/statfs.h>
#include <sys/timex.h>

int64_t faregate_file_system_type(const char *path) {
    struct statfs system;
    if (statfs(path, &system) != 0) return -1;
    return (int64_t)((uint64_t)system.f_type & 0xFFFFFFFFu);
}

int faregate_clock_is_synchronised(int64_t *max_error_us) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    if (answer < 0) return -1;
    *max_error_us = state.maxerror;
    return answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}
