#include "CEmbedded.h"

// `#embed` is of C23; clang takes it in every mode and warns.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t prices[] = {
#embed "prices-2026-11.json"
};

static const uint8_t trace_sample[] = {
#embed "../../fixtures/azure-llm-trace-2023-conv-sample.csv"
};

static const uint8_t openapi[] = {
#embed "../../schemas/openapi.yaml"
};

#pragma clang diagnostic pop

const uint8_t *_Nonnull faregate_embedded_prices(void) { return prices; }
size_t faregate_embedded_prices_length(void) { return sizeof prices; }

const uint8_t *_Nonnull faregate_embedded_trace_sample(void) { return trace_sample; }
size_t faregate_embedded_trace_sample_length(void) { return sizeof trace_sample; }

const uint8_t *_Nonnull faregate_embedded_openapi(void) { return openapi; }
size_t faregate_embedded_openapi_length(void) { return sizeof openapi; }
