// Files that are part of the binary. Each is there once, read-only, without a terminating zero.

#ifndef CEMBEDDED_H
#define CEMBEDDED_H

#include <stddef.h>
#include <stdint.h>

/// The built-in price book, in the form of schemas/price-book.schema.json.
const uint8_t *_Nonnull faregate_embedded_prices(void);
size_t faregate_embedded_prices_length(void);

/// Real LLM traffic for the sandbox: the header and the first 2,000 requests, unchanged, of
/// AzureLLMInferenceTrace_conv (Azure Public Dataset, 2023, CC-BY 4.0; published with "Splitwise",
/// ISCA 2024). One contiguous stretch, so the arrival times are real.
const uint8_t *_Nonnull faregate_embedded_trace_sample(void);
size_t faregate_embedded_trace_sample_length(void);

/// The description of the HTTP API, YAML: what `GET /openapi.yaml` answers.
const uint8_t *_Nonnull faregate_embedded_openapi(void);
size_t faregate_embedded_openapi_length(void);

#endif
