#include "json.hpp"

#include "file.hpp"

namespace unitvec {
namespace {

using nlohmann::json;

std::string shortened(const json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array of " + std::to_string(value.size());
    auto text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

}  // namespace

JsonField JsonField::parse_file(const std::filesystem::path& path) {
    return parse(read_file(path), path.string());
}

JsonField JsonField::parse(std::string_view text, const std::string& file) {
    try {
        auto document = std::make_shared<const json>(json::parse(text.begin(), text.end()));
        const json* root = document.get();
        return {std::make_shared<const std::string>(file), std::move(document), root, ""};
    } catch (const json::parse_error& e) {
        throw FormatError(file, "byte " + std::to_string(e.byte),
                          "expected JSON, got something else (" + std::string(e.what()) + ")");
    } catch (const json::out_of_range& e) {  // a number beyond double's range
        throw FormatError(file, "", "expected JSON, got " + std::string(e.what()));
    }
}

void JsonField::fail(const std::string& expected) const {
    throw FormatError(*file_, path_, "expected " + expected + ", got " + shortened(*value_));
}

bool JsonField::has(std::string_view key) const {
    return value_->is_object() && value_->contains(key);
}

std::optional<JsonField> JsonField::find(std::string_view key) const {
    if (!value_->is_object()) fail("an object");
    const auto it = value_->find(key);
    if (it == value_->end() || it->is_null()) return std::nullopt;
    const auto path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
    return JsonField(file_, document_, &*it, path);
}

JsonField JsonField::at(std::string_view key) const {
    if (auto field = find(key)) return *std::move(field);
    throw FormatError(*file_, path_, "expected the field \"" + std::string(key) + "\", got none");
}

std::vector<JsonField> JsonField::items() const {
    if (!value_->is_array()) fail("an array");
    std::vector<JsonField> fields;
    fields.reserve(value_->size());
    for (std::size_t i = 0; i < value_->size(); ++i) {
        fields.push_back(
            JsonField(file_, document_, &(*value_)[i], path_ + "[" + std::to_string(i) + "]"));
    }
    return fields;
}

const std::string& JsonField::string() const {
    if (!value_->is_string()) fail("a string");
    return value_->get_ref<const std::string&>();
}

bool JsonField::boolean() const {
    if (!value_->is_boolean()) fail("true or false");
    return value_->get<bool>();
}

double JsonField::number() const {
    if (!value_->is_number()) fail("a number");
    return value_->get<double>();
}

std::int64_t JsonField::integer(std::int64_t min, std::int64_t max) const {
    const bool fits = value_->is_number_integer() &&
                      (!value_->is_number_unsigned() ||
                       value_->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
    if (!fits || value_->get<std::int64_t>() < min || value_->get<std::int64_t>() > max) {
        fail(min == INT64_MIN
                 ? "an integer"
                 : "an integer in [" + std::to_string(min) + ", " + std::to_string(max) + "]");
    }
    return value_->get<std::int64_t>();
}

std::string JsonField::string_or(std::string_view key, std::string_view fallback) const {
    const auto field = find(key);
    return field ? field->string() : std::string(fallback);
}

bool JsonField::boolean_or(std::string_view key, bool fallback) const {
    const auto field = find(key);
    return field ? field->boolean() : fallback;
}

double JsonField::number_or(std::string_view key, double fallback) const {
    const auto field = find(key);
    return field ? field->number() : fallback;
}

}  // namespace unitvec
