#include "model/script_module.hpp"

#include <ATen/core/jit_type.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

/// The last line of an interpreter's message, which says what happened; before it stands where.
std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

/// An error of libtorch in one line.
std::string reason(const std::exception& error) {
    const auto* theirs = dynamic_cast<const c10::Error*>(&error);
    return last_line(theirs != nullptr ? theirs->what_without_backtrace() : error.what());
}

/// Position of a named tuple's field; its size where there is none, or no names at all.
std::size_t field_of(const c10::IValue& tuple, std::string_view name) {
    const auto type = tuple.toTupleRef().type();
    const std::size_t size = tuple.toTupleRef().elements().size();
    if (!type->schema()) return size;
    const auto& fields = type->schema()->arguments();
    const auto found = std::ranges::find(fields, name, &c10::Argument::name);
    return static_cast<std::size_t>(found - fields.begin());
}

}  // namespace

ScriptModule::ScriptModule(const std::filesystem::path& file) : file_(file.string()) {
    const c10::InferenceMode inference;
    try {
        auto module = torch::jit::load(file_, at::kCPU);
        module.eval();
        if (!module.find_method("forward")) fail("expected such a method, got a module without it");
        module_ = torch::jit::freeze(module);
    } catch (const FormatError&) {
        throw;
    } catch (const std::exception& e) {
        throw FormatError(file_, "", "expected a TorchScript module, got: " + reason(e));
    }
    const auto& arguments = module_.get_method("forward").function().getSchema().arguments();
    for (auto argument = arguments.begin() + 1; argument != arguments.end(); ++argument) {
        names_.push_back(argument->name());
        if (!argument->default_value()) ++required_;
    }
}

c10::IValue ScriptModule::run(std::vector<c10::IValue> inputs) const {
    try {
        return module_.forward(std::move(inputs));
    } catch (const std::exception& e) {  // c10::Error, or what the module itself raised
        fail("raised: " + reason(e));
    }
}

void ScriptModule::fail(const std::string& what) const {
    throw FormatError(file_, "forward", what);
}

at::Tensor tensor_of(const c10::IValue& output, std::initializer_list<std::string_view> names) {
    if (output.isTensor()) return output.toTensor();
    if (output.isTensorList()) {
        return output.toTensorVector().empty() ? at::Tensor() : output.toTensorVector().front();
    }
    if (output.isTuple()) {
        const auto& elements = output.toTupleRef().elements();
        for (const auto name : names) {
            const auto i = field_of(output, name);
            if (i < elements.size()) return tensor_of(elements[i], names);
        }
        return elements.empty() ? at::Tensor() : tensor_of(elements[0], names);
    }
    if (output.isGenericDict()) {
        const auto dict = output.toGenericDict();
        if (*dict.keyType() != *c10::StringType::get()) return {};
        for (const auto name : names) {
            const auto found = dict.find(std::string(name));
            if (found != dict.end()) return tensor_of(found->value(), names);
        }
    }
    return {};
}

std::string describe(const at::Tensor& tensor) {
    if (!tensor.defined()) return "no tensor";
    std::string text = "(";
    for (const auto n : tensor.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
    return text + ") of " + c10::toString(tensor.scalar_type());
}

}  // namespace unitvec
