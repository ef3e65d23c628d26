#include <filesystem>

#include "file.hpp"
#include "json.hpp"
#include "tokenizer_data.hpp"

namespace unitvec {
namespace {

/// A token is written as a string, or as an object with its content.
void read_name(const JsonField& file, std::string_view key, std::string& name) {
    if (const auto field = file.find(key)) {
        name = field->value().is_object() ? field->at("content").string() : field->string();
    }
}

}  // namespace

SpecialNames read_special_names(const std::filesystem::path& directory) {
    SpecialNames names;
    for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
        const auto path = directory / name;
        if (!is_present(path)) continue;
        const auto file = JsonField::parse_file(path);
        read_name(file, "unk_token", names.unknown);
        read_name(file, "cls_token", names.cls);
        read_name(file, "sep_token", names.sep);
        read_name(file, "pad_token", names.pad);
        read_name(file, "mask_token", names.mask);
    }
    return names;
}

}  // namespace unitvec
