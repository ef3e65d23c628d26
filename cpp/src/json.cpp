#include "json.hpp"

#include <set>

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

/// One pass over the bytes, which costs a fraction of the parsing.
void require_limits(std::string_view text, const std::string& file, const JsonLimits& limits) {
    std::size_t depth = 0;
    std::size_t values = 1;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0 ? 1 : 0;
        } else if (c == '[' || c == '{' || c == ',') {
            depth += c == ',' ? 0 : 1;
            if (depth > limits.depth || ++values > limits.values) {
                throw FormatError(file, "byte " + std::to_string(i),
                                  "expected JSON of at most " + std::to_string(limits.depth) +
                                      " levels and " + std::to_string(limits.values) +
                                      " values, got more");
            }
        }
    }
}

/// Goes through a document without keeping it, and refuses a name that its object has already.
/// (The parser's own callbacks would do, but with them its time grows with the square of the
/// names.)
class UniqueNames final : public nlohmann::json_sax<json> {
public:
    explicit UniqueNames(const std::string& file) : file_(file) {}

    bool start_object(std::size_t /*size*/) override {
        names_.emplace_back();
        return true;
    }
    bool key(std::string& name) override {
        if (!names_.back().insert(name).second) {
            throw FormatError(file_, name, "expected a name once, got it twice");
        }
        return true;
    }
    bool end_object() override {
        names_.pop_back();
        return true;
    }
    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(std::int64_t /*value*/) override { return true; }
    bool number_unsigned(std::uint64_t /*value*/) override { return true; }
    bool number_float(double /*value*/, const std::string& /*text*/) override { return true; }
    bool string(std::string& /*value*/) override { return true; }
    bool binary(json::binary_t& /*value*/) override { return true; }
    bool start_array(std::size_t /*size*/) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t /*byte*/, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return false;  // the parser proper says it
    }

private:
    const std::string& file_;
    std::vector<std::set<std::string>> names_;  // of the objects that are open
};

/// The parser quotes what it read last, which need not be text.
std::string printable(std::string message) {
    for (char& c : message) {
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return message;
}

}  // namespace

JsonField JsonField::parse_file(const std::filesystem::path& path) {
    return parse(read_file(path), path.string());
}

JsonField JsonField::parse(std::string_view text, const std::string& file,
                           const JsonLimits& limits) {
    require_limits(text, file, limits);
    if (limits.unique_names) {
        UniqueNames names(file);
        (void)json::sax_parse(text.begin(), text.end(), &names);
    }
    try {
        auto document = std::make_shared<const json>(json::parse(text.begin(), text.end()));
        const json* root = document.get();
        return {std::make_shared<const std::string>(file), std::move(document), root, ""};
    } catch (const json::parse_error& e) {
        throw FormatError(file, "byte " + std::to_string(e.byte),
                          "expected JSON, got something else (" + printable(e.what()) + ")");
    } catch (const json::out_of_range& e) {  // a number beyond double's range
        throw FormatError(file, "", "expected JSON, got " + printable(e.what()));
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
