#pragma once
/// A TorchScript file, loaded once and run from any number of threads.
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec {

/// A module's forward, frozen. Whatever goes wrong in it is a FormatError that names the file.
///
/// Nothing of libtorch that is set for the whole process is touched: Python's torch, where it is
/// imported too, shares this libtorch (ADR 4).
class ScriptModule {
public:
    explicit ScriptModule(const std::filesystem::path& file);

    [[nodiscard]] const std::string& file() const { return file_; }
    /// The arguments that forward cannot do without, and those that it can; self not counted.
    [[nodiscard]] std::size_t required() const { return required_; }
    [[nodiscard]] std::size_t arguments() const { return names_.size(); }
    [[nodiscard]] const std::string& argument(std::size_t i) const { return names_[i]; }

    /// Under the caller's c10::InferenceMode.
    [[nodiscard]] c10::IValue run(std::vector<c10::IValue> inputs) const;

    /// @throws FormatError "file: forward: ..."
    [[noreturn]] void fail(const std::string& what) const;

private:
    mutable torch::jit::Module module_;  // forward() is not const, but changes nothing
    std::string file_;
    std::vector<std::string> names_;
    std::size_t required_ = 0;
};

/// The tensor among what a module returned: itself; the first of `names` that a dict or a named
/// tuple has; else the first of a tuple or list. Undefined where there is none.
[[nodiscard]] at::Tensor tensor_of(const c10::IValue& output,
                                   std::initializer_list<std::string_view> names);

/// "(2, 3, 48) of float32", for messages; "no tensor" where it is undefined.
[[nodiscard]] std::string describe(const at::Tensor& tensor);

}  // namespace unitvec
