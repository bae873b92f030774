#include "engine/base/hash_key.h"

// The one-shot EVP interface of OpenSSL 3 costs more than the hash itself on keys of a few bytes.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

namespace tidemill {

uint128 hash_partition_key(std::string_view partition_key) {
    unsigned char digest[MD5_DIGEST_LENGTH];
    MD5_CTX context;
    MD5_Init(&context);
    MD5_Update(&context, partition_key.data(), partition_key.size());
    MD5_Final(digest, &context);
    uint128 value = 0;
    for (const unsigned char byte : digest)
        value = value << 8 | byte;
    return value;
}

}  // namespace tidemill
