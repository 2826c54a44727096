// The system's libcurl. Its options are set and its answers read by functions with variable arguments,
// which Swift cannot call: each kind of argument has a function of its own here.
#ifndef FAREGATE_CCURL_H
#define FAREGATE_CCURL_H

#include <curl/curl.h>

static inline CURLcode faregate_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

#endif
