#include <map>
#include <random>
#include <stdexcept>

#include "support/catch.hpp"
#include "text/trie.hpp"
#include "text/word_table.hpp"
#include "unitvec/error.hpp"
#include "unitvec/text/vocabulary.hpp"

using unitvec::FormatError;
using unitvec::Trie;
using unitvec::Vocabulary;

namespace {

/// Distinct strings over few letters, so that many share prefixes; some hold any byte.
std::map<std::string, std::int32_t> random_words(std::size_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::map<std::string, std::int32_t> words;
    while (words.size() < n) {
        std::string word(random() % 9, '\0');
        const bool any_byte = random() % 4 == 0;
        for (char& c : word) c = static_cast<char>(any_byte ? random() % 256 : 'a' + random() % 3);
        words.emplace(word, static_cast<std::int32_t>(words.size()));
    }
    return words;
}

}  // namespace

TEST_CASE("a trie agrees with a map on keys and longest prefixes", "[vocabulary]") {
    const auto words = random_words(3000, /*seed=*/1);
    std::vector<Trie::Entry> entries;
    for (const auto& [word, value] : words) entries.push_back({word, value});
    const Trie trie(entries);
    for (const auto& [word, value] : words) CHECK(trie.find(word) == value);
    std::size_t wrong = 0;
    for (const auto& [text, unused] : random_words(3000, /*seed=*/2)) {
        std::int32_t longest = -1;
        for (std::size_t n = 1; n <= text.size(); ++n) {
            const auto it = words.find(text.substr(0, n));
            if (it != words.end()) longest = it->second;
        }
        wrong += trie.longest_prefix(Trie::kRoot, text).value != longest ? 1 : 0;
        wrong += trie.find(text) != (words.count(text) != 0 ? words.at(text) : -1) ? 1 : 0;
    }
    CHECK(wrong == 0);
}

TEST_CASE("an empty trie knows nothing", "[vocabulary]") {
    const Trie trie;
    CHECK(trie.find("") == -1);
    CHECK(trie.find(std::string(1, '\0')) == -1);
    CHECK(trie.longest_prefix(Trie::kRoot, "abc").length == 0);
}

TEST_CASE("a word table never answers wrongly", "[vocabulary]") {
    const auto words = random_words(2000, /*seed=*/3);
    unitvec::WordTable table(words.size());
    for (const auto& [word, value] : words) table.insert(unitvec::WordKey::of(word), value);
    std::size_t found = 0;
    for (const auto& [word, value] : words) {
        const auto id = table.find(unitvec::WordKey::of(word));
        CHECK((id == value || id == -1));
        found += id == value ? 1 : 0;
    }
    CHECK(found > 1900);
    CHECK(table.find(unitvec::WordKey::of("not in there")) == -1);
    CHECK(table.find(unitvec::WordKey::of(std::string("a\0", 2))) !=
          table.find(unitvec::WordKey::of("a")));
}

TEST_CASE("a vocabulary maps both ways", "[vocabulary]") {
    const Vocabulary vocabulary({{"b", 1}, {"a", 0}, {"", 2}}, "f", "");
    CHECK(vocabulary.size() == 3);
    CHECK(vocabulary.find("a") == 0);
    CHECK(vocabulary.find("") == 2);
    CHECK_FALSE(vocabulary.find("c").has_value());
    CHECK(vocabulary.token(1) == "b");
    CHECK_THROWS_AS(vocabulary.token(3), std::out_of_range);
    CHECK_THROWS_AS(vocabulary.token(-1), std::out_of_range);
}

TEST_CASE("a damaged vocabulary is refused with file and field", "[vocabulary]") {
    const auto message = [](std::vector<Vocabulary::Entry> entries) -> std::string {
        try {
            const Vocabulary vocabulary(std::move(entries), "some.json", "model.vocab");
        } catch (const FormatError& e) {
            CHECK(e.file() == "some.json");
            CHECK(e.where() == "model.vocab");
            return e.what();
        }
        return "no error";
    };
    CHECK_THAT(message({}), ContainsSubstring("got none"));
    CHECK_THAT(message({{"a", 0}, {"b", 2}}), ContainsSubstring("without holes"));
    CHECK_THAT(message({{"a", 0}, {"b", -1}}), ContainsSubstring("without holes"));
    CHECK_THAT(message({{"a", 0}, {"b", 0}}), ContainsSubstring("every id once"));
    CHECK_THAT(message({{"a", 0}, {"a", 1}}), ContainsSubstring("every token once"));
}
