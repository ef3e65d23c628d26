#include "file.hpp"
#include "json.hpp"
#include "tokenizer_json.hpp"

namespace unitvec {
namespace {

/// @param right  what the file calls the usual side
TruncationSide side_of(const JsonField& field, const std::string& right, const std::string& left) {
    if (field.string() == right) return TruncationSide::right;
    if (field.string() == left) return TruncationSide::left;
    field.fail(right + " or " + left);
}

}  // namespace

std::optional<TruncationSide> read_truncation_side(const JsonField& root) {
    const auto truncation = root.find("truncation");
    if (!truncation) return std::nullopt;
    const auto direction = truncation->find("direction");
    if (!direction) return std::nullopt;
    return side_of(*direction, "Right", "Left");
}

std::optional<TruncationSide> stated_truncation_side(const std::filesystem::path& directory) {
    const auto path = directory / "tokenizer_config.json";
    if (!is_present(path)) return std::nullopt;
    const auto side = JsonField::parse_file(path).find("truncation_side");
    if (!side) return std::nullopt;
    return side_of(*side, "right", "left");
}

}  // namespace unitvec
