#pragma once
/// The tokens of a model and their numbers.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec {

class Trie;

/// Tokens with the ids 0 ... size() - 1, each token once. Immutable; a copy shares everything.
class Vocabulary {
public:
    /// A token as a file lists it.
    struct Entry {
        std::string token;
        std::int64_t id;
    };

    /// @param file   the file's name, for messages
    /// @param field  where the entries stand in it, for messages ("model.vocab"; may be empty)
    /// @throws FormatError if there is no entry, a token or an id appears twice, or the ids are not
    ///         0 ... n - 1
    Vocabulary(std::vector<Entry> entries, const std::string& file, const std::string& field);

    [[nodiscard]] std::size_t size() const { return tokens_->size(); }
    [[nodiscard]] std::optional<std::int32_t> find(std::string_view token) const;
    /// @throws std::out_of_range unless 0 <= id < size()
    [[nodiscard]] const std::string& token(std::int32_t id) const;

    /// All tokens, for longest-prefix searches.
    [[nodiscard]] const Trie& trie() const { return *trie_; }

private:
    std::shared_ptr<const std::vector<std::string>> tokens_;
    std::shared_ptr<const Trie> trie_;
};

}  // namespace unitvec
