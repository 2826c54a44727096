/* Loaded into a server under test (LD_PRELOAD): while the file named by FAREGATE_TEST_HANG is there, a sync
   does not end, as on a disk that does not answer. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_while_hanging(void)
{
    const char *path = getenv("FAREGATE_TEST_HANG");
    while (path != NULL && access(path, F_OK) == 0)
        usleep(2000);
}

int fsync(int file)
{
    wait_while_hanging();
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return real(file);
}

int fdatasync(int file)
{
    wait_while_hanging();
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return real(file);
}
