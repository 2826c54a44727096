// The system's libcurl. Its options are set and its answers read by functions with variable
// arguments, which Swift cannot call: each kind of argument has a function of its own here.
#ifndef FAREGATE_CCURL_H
#define FAREGATE_CCURL_H

#include <curl/curl.h>

typedef size_t (*faregate_curl_sink)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode faregate_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode faregate_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

// Copied by libcurl, but for CURLOPT_POSTFIELDS.
static inline CURLcode faregate_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode faregate_curl_set_sink(
    CURL *handle, CURLoption option, faregate_curl_sink sink) {
    return curl_easy_setopt(handle, option, sink);
}

static inline CURLcode faregate_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode faregate_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLversion faregate_curl_version_now(void) { return CURLVERSION_NOW; }

static inline CURLMcode faregate_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// The handle and outcome of the next transfer that is done; 0 when there is none.
static inline int faregate_curl_next_done(CURLM *multi, CURL **handle, CURLcode *code) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        *handle = message->easy_handle;
        *code = message->data.result;
        return 1;
    }
    return 0;
}

#endif
