#include "engine/crypto/sealed_bytes.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"

using namespace tidemill;

namespace {

std::vector<std::byte> unhex(std::string_view text) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(
            static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    return bytes;
}

std::vector<std::byte> seal(Sealer& sealer, std::string_view associated, std::string_view text) {
    std::vector<std::byte> sealed(text.size() + kSealBytes);
    sealer.seal(as_bytes(associated), as_bytes(text), {}, sealed.data());
    return sealed;
}

std::optional<std::string> unseal(Unsealer& unsealer, std::string_view associated, Bytes sealed) {
    std::string text(sealed.size() - kSealBytes, 'x');
    const MutableBytes to{reinterpret_cast<std::byte*>(text.data()), text.size()};
    if (!unsealer.unseal(as_bytes(associated), sealed, to, {})) return std::nullopt;
    return text;
}

/// What comes before the ciphertext: it decides key and nonce.
std::string head_of(Bytes sealed) { return std::string(as_text(sealed.first(kSealHeadBytes))); }

}  // namespace

// Test case 16 of the GCM specification (McGrew and Viega), also in NIST's vectors.
TEST_CASE("AES-256-GCM gives the published ciphertext and tag") {
    const Secret key(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const auto nonce_bytes = unhex("cafebabefacedbaddecaf888");
    GcmNonce nonce;
    std::ranges::copy(nonce_bytes, nonce.begin());
    const auto plain = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    const auto associated = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const auto expected = unhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b");
    GcmEncryptor encryptor(key);
    for (const std::size_t cut : {std::size_t{0}, std::size_t{7}, std::size_t{32}, plain.size()}) {
        std::vector<std::byte> sealed(expected.size());
        encryptor.encrypt(nonce, associated, Bytes(plain).first(cut), Bytes(plain).subspan(cut),
                          sealed.data());
        CHECK(sealed == expected);
        std::vector<std::byte> first(cut), second(plain.size() - cut);
        CHECK(GcmDecryptor(key).decrypt(nonce, associated, sealed, first, second));
        first.insert(first.end(), second.begin(), second.end());
        CHECK(first == plain);
    }
}

TEST_CASE("Keys are derived by HKDF-SHA256") {
    // RFC 5869's vectors have keys of other lengths; this one was computed with Python's hmac and
    // hashlib by the RFC's two steps, for key 00..1f.
    std::vector<std::byte> key(32);
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = static_cast<std::byte>(i);
    const Secret derived = derive_key(Secret(key), as_bytes("salt"), "purpose");
    CHECK(std::ranges::equal(
        derived.bytes(),
        unhex("94667bce5e44fbfb519b064d97bb4a4e6714993a9e0f99c8485e090a33876fa8")));
}

TEST_CASE("What is sealed opens with the same key, purpose and associated bytes alone") {
    const Secret key = Secret::random(), other = Secret::random();
    Sealer sealer(key, "purpose");
    const auto sealed = seal(sealer, "here", "the text");
    Unsealer right(key, "purpose"), wrong_key(other, "purpose"), wrong_purpose(key, "another");
    CHECK(unseal(right, "here", sealed) == "the text");
    CHECK_FALSE(unseal(right, "there", sealed));
    CHECK_FALSE(unseal(wrong_key, "here", sealed));
    CHECK_FALSE(unseal(wrong_purpose, "here", sealed));
    CHECK(as_text(sealed).find("text") == std::string_view::npos);
}

TEST_CASE("A sealed text with any one bit flipped does not open, and leaves nothing behind") {
    const Secret key = Secret::random();
    Sealer sealer(key, "purpose");
    const auto sealed = seal(sealer, "", "0123456789");
    Unsealer unsealer(key, "purpose");
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto damaged = sealed;
        damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        std::vector<std::byte> to(10, std::byte{'x'});
        REQUIRE_FALSE(unsealer.unseal({}, damaged, to, {}));
        REQUIRE(std::ranges::all_of(to, [](std::byte b) { return b == std::byte{0}; }));
    }
    CHECK(unseal(unsealer, "", sealed) == "0123456789");
}

TEST_CASE(
    "No two seals under one key share salt and counter: not over salts, sealers or restarts") {
    const Secret key = Secret::random();
    std::set<std::string> heads;
    std::size_t count = 0;
    for (int start = 0; start < 40; ++start) {
        // Two cores of one process, then the process starts again and knows nothing of before.
        Sealer first(key, "purpose", 7), second(key, "purpose", 7);
        for (int i = 0; i < 25; ++i) {
            heads.insert(head_of(seal(first, "", "same")));
            heads.insert(head_of(seal(second, "", "same")));
            count += 2;
        }
    }
    CHECK(heads.size() == count);
    // 25 seals at 7 a salt: four salts a sealer.
    std::set<std::string> salts;
    for (const auto& head : heads)
        salts.insert(head.substr(0, sizeof(SealSalt)));
    CHECK(salts.size() == 40 * 2 * 4);
}

TEST_CASE("The opener keeps a bounded number of salts and opens all the same") {
    const Secret key = Secret::random();
    Unsealer unsealer(key, "purpose");
    std::vector<std::vector<std::byte>> sealed;
    for (std::size_t i = 0; i < 3 * Unsealer::kSaltsKept; ++i) {
        Sealer sealer(key, "purpose");
        sealed.push_back(seal(sealer, "", std::to_string(i)));
    }
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < sealed.size(); ++i)
            REQUIRE(unseal(unsealer, "", sealed[i]) == std::to_string(i));
    CHECK(unsealer.salts_kept() == Unsealer::kSaltsKept);
}

TEST_CASE("Random bytes never open") {
    const std::uint64_t seed = 0x7469646531;
    MESSAGE("seed " << seed);
    Random random(seed);
    Unsealer unsealer(Secret::random(), "purpose");
    for (int i = 0; i < 2000; ++i) {
        std::vector<std::byte> noise(kSealBytes + random.next() % 200);
        for (auto& byte : noise)
            byte = static_cast<std::byte>(random.next());
        std::vector<std::byte> to(noise.size() - kSealBytes);
        REQUIRE_FALSE(unsealer.unseal({}, noise, to, {}));
    }
}
