#pragma once
/// JSON files whose every mistake is reported with the file and the field.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unitvec/error.hpp"

namespace unitvec {

/// What a document may ask for. Checked before it is parsed: a value costs 16 bytes and more,
/// however few bytes it takes in the file, and some operations call themselves for every level.
struct JsonLimits {
    std::size_t depth = 128;          ///< levels of arrays and objects
    std::size_t values = 10'000'000;  ///< several times those of the largest vocabulary
    bool unique_names = false;        ///< no object may have a name twice; else the last one counts
};

/// A place in a JSON document: the value, and how to get there ("model.vocab", "added_tokens[3]").
/// Cheap to copy; the document lives as long as any of its fields.
class JsonField {
public:
    /// @throws FormatError if the file cannot be read, is not UTF-8, is not JSON or breaks a limit
    static JsonField parse_file(const std::filesystem::path& path);
    /// The same from memory; `file` is used in messages only.
    static JsonField parse(std::string_view text, const std::string& file,
                           const JsonLimits& limits = {});

    [[nodiscard]] const nlohmann::json& value() const { return *value_; }
    [[nodiscard]] const std::string& file() const { return *file_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool is_null() const { return value_->is_null(); }
    [[nodiscard]] bool has(std::string_view key) const;

    /// @throws FormatError unless this is an object with the key
    [[nodiscard]] JsonField at(std::string_view key) const;
    /// Nothing if the key is absent or null. @throws FormatError unless this is an object
    [[nodiscard]] std::optional<JsonField> find(std::string_view key) const;
    /// @throws FormatError unless this is an array
    [[nodiscard]] std::vector<JsonField> items() const;

    /// @throws FormatError unless the value has that type; integers must be in [min, max]
    [[nodiscard]] const std::string& string() const;
    [[nodiscard]] bool boolean() const;
    [[nodiscard]] double number() const;
    [[nodiscard]] std::int64_t integer(std::int64_t min = INT64_MIN,
                                       std::int64_t max = INT64_MAX) const;

    /// The same for the member `key`, or the default where it is absent or null.
    [[nodiscard]] std::string string_or(std::string_view key, std::string_view fallback) const;
    [[nodiscard]] bool boolean_or(std::string_view key, bool fallback) const;
    [[nodiscard]] double number_or(std::string_view key, double fallback) const;

    /// Throws a FormatError about this field: "expected <expected>, got <this value, shortened>".
    [[noreturn]] void fail(const std::string& expected) const;

private:
    using Document = std::shared_ptr<const nlohmann::json>;
    JsonField(std::shared_ptr<const std::string> file, Document document,
              const nlohmann::json* value, std::string path)
        : file_(std::move(file)), document_(std::move(document)), value_(value),
          path_(std::move(path)) {}

    std::shared_ptr<const std::string> file_;
    Document document_;
    const nlohmann::json* value_;
    std::string path_;
};

}  // namespace unitvec
