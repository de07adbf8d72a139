// LibTorch's error texts, recognised by stable fragments (autograd.md, section 7), most specific first.
#include "harness/error_text.hpp"
#include "harness/outcome.hpp"

#include <array>
#include <fmt/format.h>

namespace gradsmith {
namespace {

struct Fragment {
  std::string_view id, text;
  std::string_view also{};  // a second fragment that must be there too
};

// The order matters: E2's text contains E1's, the view errors share tails.
constexpr std::array fragments{
    Fragment{"E2", "a view of a leaf Variable that requires grad is being used in an in-place operation."},
    Fragment{"E1", "a leaf Variable that requires grad is being used in an in-place operation."},
    Fragment{"E11i", "created in inference mode and its base or another view of its base has been"},
    Fragment{"E11", "created in inference mode and is being modified inplace"},
    Fragment{"E10", "created in no_grad mode and its base or another view of its base has been"},
    Fragment{"E9", "created in no_grad mode and is being modified inplace"},
    Fragment{"E8i", "its base or another view of its base has been modified inplace", "returns multiple views"},
    Fragment{"E8", "is a view and is being modified inplace", "returns multiple views"},
    Fragment{"E5", "one of the variables needed for gradient computation has been modified by an inplace operation"},
    Fragment{"E6", "Trying to backward through the graph a second time"},
    Fragment{"E7", "Trying to use a saved tensor that has been detached in-place"},
    Fragment{"E13", "more than one element of the written-to tensor refers to a single memory location"},
    Fragment{"E14", "some elements of the input tensor and the written-to tensor refer to a single memory location"},
    Fragment{"E16", "Inference tensors cannot be saved for backward"},
    Fragment{"E17", "Inplace update to inference tensor outside InferenceMode is not allowed"},
    Fragment{"E18", "doesn't match the broadcast shape"},
    Fragment{"E19", "must match the size of tensor b"},
    Fragment{"E20", "can't be cast to the desired output type"},
    Fragment{"E21", "In-place elu backward calculation is triggered with a negative slope"},
    Fragment{"E22", "In-place leakyReLu backward calculation is triggered with a negative slope"},
    Fragment{"E23", "the derivative for '"},
    Fragment{"E23", "derivative for aten::"},
    Fragment{"E23b", "that does not support it because it has not been implemented yet"},
    Fragment{"E24", "alpha cannot be 0 for CELU"},
    Fragment{"E24", "Lower bound should be less than or equal to the upper bound"},
    Fragment{"E24", "Halving dimension must be even"},
    Fragment{"E24", "approximate argument must be either none or tanh"},
    Fragment{"E24", "not supported for relu"},
    Fragment{"E28", "does not require grad and does not have a grad_fn"},
    Fragment{"E29", "grad can be implicitly created only for scalar outputs"},
    Fragment{"E30", "appears to not have been used in the graph"},
    Fragment{"E31", "of the input tensors does not require grad"},
    Fragment{"E32", "invalid gradient at index"},
    Fragment{"E41", "to have the same dtype"},
    Fragment{"E41", "to have same dtype, but found"},
    Fragment{"E41", "expected scalar type ", "but found "},
    Fragment{"E41", "Type promoting not supported"},
    Fragment{"E41", "` but got dtype "},
    Fragment{"E42", "value cannot be converted to type ", "without overflow"},
    Fragment{"E40", "jvp is not implemented for the c++ API of custom Function"},
};

}  // namespace

std::string phase_name(const Phase& phase) {
  return fmt::format("{} {}", phase.kind == Phase::Kind::step ? "step" : "backward", phase.number);
}

std::string classify_error(std::string_view message) {
  for (const auto& fragment : fragments)
    if (message.find(fragment.text) != message.npos && message.find(fragment.also) != message.npos)
      return std::string(fragment.id);
  return "?";
}

std::string_view error_fragment(std::string_view id) {
  for (const auto& fragment : fragments)
    if (fragment.id == id) return fragment.text;
  return {};
}

std::vector<std::string_view> error_fragments(std::string_view id) {
  std::vector<std::string_view> texts;
  for (const auto& fragment : fragments)
    if (fragment.id == id) texts.push_back(fragment.text);
  return texts;
}

std::string_view containing_fragment(std::string_view id) {
  for (const std::string_view text : error_fragments(id))
    for (const auto& fragment : fragments)
      if (fragment.id != id && fragment.text.find(text) != text.npos) return fragment.text;
  return {};
}

}  // namespace gradsmith
