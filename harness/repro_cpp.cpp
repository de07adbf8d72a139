// The C++ program around a chain's statements: head, helpers, main.
#include <fmt/format.h>

#include "harness/print.hpp"
#include "harness/repro_body.hpp"

namespace gradsmith {

namespace {

constexpr char build[] = R"(
With LIBTORCH the folder that holds LibTorch's include/ and lib/:

  g++ -std=c++20 repro.cpp -o repro -I$LIBTORCH/include -I$LIBTORCH/include/torch/csrc/api/include -L$LIBTORCH/lib \
    -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,-rpath,$LIBTORCH/lib -Wl,--allow-shlib-undefined && ./repro

The chain:
)";

constexpr char tensor_helper[] = R"(
// A tensor of this type and shape with these elements, row-major.
at::Tensor tensor(at::ScalarType type, std::vector<int64_t> shape, std::vector<double> elements) {
  at::Tensor made = at::empty(shape, at::kDouble);
  std::copy(elements.begin(), elements.end(), made.mutable_data_ptr<double>());
  return made.to(type);
}
)";

constexpr char strided_helper[] = R"(
// A tensor that lies in a storage of its own at this offset, with these strides.
at::Tensor strided(at::ScalarType type, std::vector<int64_t> shape, std::vector<int64_t> strides, int64_t offset,
                   std::vector<double> storage) {
  const at::Tensor all = tensor(type, {static_cast<int64_t>(storage.size())}, storage);
  return all.as_strided(shape, strides, offset).detach();
}
)";

constexpr char check_helper[] = R"(
// Every element must be within its tolerance; a gradient that is not defined is 0.
void check(const char* what, const at::Tensor& tensor, std::vector<double> expected, std::vector<double> tolerance) {
  const at::NoGradGuard no_grad;
  std::vector<double> observed(expected.size());
  if (tensor.defined()) {
    const at::Tensor wide = tensor.detach().to(at::kDouble).contiguous();
    const double* const data = static_cast<const double*>(wide.const_data_ptr());
    observed.assign(data, data + wide.numel());
  }
  if (observed.size() != expected.size()) {
    std::printf("%s: observed %zu elements, expected %zu\n", what, observed.size(), expected.size());
    ++failures;
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double o = observed[i], e = expected[i];
    if (o == e || (std::isnan(o) && std::isnan(e))) continue;
    if (std::isinf(tolerance[i]) || std::abs(o - e) <= tolerance[i]) continue;
    std::printf("%s[%zu]: observed %.17g, expected %.17g within %.2g\n", what, i, o, e, tolerance[i]);
    ++failures;
  }
}
)";

constexpr char refused_helper[] = R"(
// The call must be refused, with one of these texts and not with that of another error that contains it.
template <class Call>
void refused(Call call, std::vector<std::string> texts, std::string other = "") {
  std::string message;
  try {
    call();
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  } catch (const std::runtime_error& error) {  // a number beyond its type
    message = error.what();
  }
  for (const std::string& text : texts)
    if (message.find(text) != message.npos && (other.empty() || message.find(other) == message.npos)) return;
  std::printf("observed %s\nexpected: %s\n", message.empty() ? "no error" : ("the error: " + message).c_str(),
              texts[0].c_str());
  ++failures;
}
)";

constexpr char level_helper[] = R"(
// The level of forward mode that tangents belong to, while it lives.
struct Level {
  uint64_t number = torch::autograd::forward_ad::enter_dual_level();
  ~Level() { torch::autograd::forward_ad::exit_dual_level(number); }
};
)";

constexpr char again_helper[] = R"(
// Differentiates the sum of <gradient, direction> by the inputs. Gradients that depend on nothing are left out.
std::vector<at::Tensor> again(const std::vector<at::Tensor>& gradients, const std::vector<at::Tensor>& inputs,
                              const std::vector<at::Tensor>& directions) {
  std::vector<at::Tensor> outputs, along;
  for (std::size_t k = 0; k < gradients.size(); ++k)
    if (gradients[k].defined() && gradients[k].requires_grad()) {
      outputs.push_back(gradients[k]);
      along.push_back(directions[k]);
    }
  if (outputs.empty()) return std::vector<at::Tensor>(inputs.size());
  return torch::autograd::grad(outputs, inputs, along, false, false, /*allow_unused=*/true);
}
)";

}  // namespace

std::string repro_cpp(const Chain& chain, const Typed& typed, const Answer& answer, const ReproTitle& title) {
  const ReproBody body = repro_body(Language::cpp, chain, typed, answer);
  std::string out = commented("//", repro_head(chain, answer, title)) + commented("//", lines_of(build)) +
                    commented("//   ", lines_of(print(chain)));
  out +=
      "#include <ATen/ATen.h>\n#include <ATen/core/grad_mode.h>\n#include <c10/core/InferenceMode.h>\n"
      "#include <torch/csrc/autograd/autograd.h>\n\n"
      "#include <algorithm>\n#include <cmath>\n#include <cstdio>\n#include <string>\n#include <vector>\n\n"
      "namespace {\n\nint failures = 0;\n";
  if (body.tensor || body.strided) out += tensor_helper;
  if (body.strided) out += strided_helper;
  if (body.check) out += check_helper;
  if (body.refused) out += refused_helper;
  if (body.level) out += level_helper;
  if (body.again) out += again_helper;
  out += "\nvoid run() {\n";
  for (const std::string& line : body.lines) out += "  " + line + "\n";
  out +=
      "}\n\n}  // namespace\n\n"
      "int main() {\n  try {\n    run();\n  } catch (const c10::Error& error) {\n"
      "    std::printf(\"observed the error: %s\\nexpected: no error\\n\", error.what_without_backtrace());\n"
      "    return 1;\n  } catch (const std::runtime_error& error) {\n"
      "    std::printf(\"observed the error: %s\\nexpected: no error\\n\", error.what());\n"
      "    return 1;\n  }\n  if (failures == 0) std::printf(\"as it must be\\n\");\n  return failures == 0 ? 0 : "
      "1;\n}\n";
  return out;
}

}  // namespace gradsmith
