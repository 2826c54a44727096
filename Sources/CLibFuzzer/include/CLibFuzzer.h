// libFuzzer as a library (libclang_rt.fuzzer_no_main): its own `main` would clash with Swift's.
// https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library

#ifndef FAREGATE_CLIBFUZZER_H
#define FAREGATE_CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
