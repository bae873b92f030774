#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "engine/security/base64.h"
#include "engine/security/sealed_token.h"

using namespace tidemill;

TEST_CASE("base64 follows the vectors of RFC 4648") {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        CHECK(base64_encode(as_bytes(plain)) == text);
        const auto decoded = base64_decode(text);
        REQUIRE(decoded);
        CHECK(as_text(*decoded) == plain);
    }
}

TEST_CASE("text that is not canonical base64 is refused") {
    for (const char* text :
         {"A", "AA", "AAA", "A===", "=AAA", "AA=A", "AA*=", "Zh==", "Zm9=", "Zg==Zg=="})
        CHECK_FALSE(base64_decode(text));
}

TEST_CASE("a sealed token opens with its purpose and secret alone, and not after any flipped bit") {
    const TokenSealer sealer(as_bytes("a secret of some bytes"));
    const std::string token = sealer.seal("iterator", as_bytes("facts"));
    const auto facts = sealer.open("iterator", token);
    REQUIRE(facts);
    CHECK(as_text(*facts) == "facts");
    CHECK_FALSE(sealer.open("page", token));
    CHECK_FALSE(TokenSealer(as_bytes("another secret")).open("iterator", token));
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string broken = token;
        broken[i] = broken[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(sealer.open("iterator", broken));
    }
}
