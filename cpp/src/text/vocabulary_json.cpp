#include "tokenizer_json.hpp"
#include "unitvec/error.hpp"

namespace unitvec {

Vocabulary read_vocabulary(const JsonField& field) {
    if (!field.value().is_object()) field.fail("an object of tokens and ids");
    std::vector<Vocabulary::Entry> entries;
    entries.reserve(field.value().size());
    for (const auto& [token, id] : field.value().items()) {
        if (!id.is_number_integer()) {
            throw FormatError(
                field.file(), field.path(),
                "expected an integer as the id of \"" + token + "\", got " + id.dump());
        }
        entries.push_back({token, id.get<std::int64_t>()});
    }
    return {std::move(entries), field.file(), field.path()};
}

}  // namespace unitvec
