// The Python program around a chain's statements: head, helpers, main.
#include <fmt/format.h>

#include "harness/print.hpp"
#include "harness/repro_body.hpp"

namespace gradsmith {

namespace {

constexpr char start[] = R"(
Needs PyTorch alone: python3 repro.py

The chain:
)";

constexpr char tensor_helper[] = R"(

def tensor(dtype, shape, elements):
    """A tensor of this type and shape with these elements, row-major."""
    return torch.tensor(elements, dtype=torch.float64).reshape(shape).to(dtype).detach()  # no view of anything
)";

constexpr char strided_helper[] = R"(

def strided(dtype, shape, strides, offset, storage):
    """A tensor that lies in a storage of its own at this offset, with these strides."""
    return torch.tensor(storage, dtype=torch.float64).to(dtype).as_strided(shape, strides, offset).detach()
)";

constexpr char check_helper[] = R"(

def check(what, tensor, expected, tolerance):
    """Every element must be within its tolerance; a gradient that is not defined is 0."""
    global failures
    with torch.no_grad():
        observed = [0.0] * len(expected) if tensor is None else tensor.detach().to(torch.float64).flatten().tolist()
    if len(observed) != len(expected):
        print(f"{what}: observed {len(observed)} elements, expected {len(expected)}")
        failures += 1
        return
    for i, (o, e) in enumerate(zip(observed, expected)):
        if o == e or (math.isnan(o) and math.isnan(e)) or math.isinf(tolerance[i]) or abs(o - e) <= tolerance[i]:
            continue
        print(f"{what}[{i}]: observed {o!r}, expected {e!r} within {tolerance[i]:.2g}")
        failures += 1
)";

constexpr char refused_helper[] = R"(

@contextlib.contextmanager
def refused(texts, other=None):
    """What stands inside must be refused, with one of these texts, not with another error's that contains it."""
    global failures
    message = None
    try:
        yield
    except RuntimeError as error:
        message = str(error)
        if any(text in message for text in texts) and not (other and other in message):
            return
    print("observed", "no error" if message is None else "the error: " + message)
    print("expected:", texts[0])
    failures += 1
)";

constexpr char again_helper[] = R"(

def again(gradients, inputs, directions):
    """The gradient of the sum of <gradient, direction>. Gradients that depend on nothing are left out."""
    pairs = [(g, d) for g, d in zip(gradients, directions) if g is not None and g.requires_grad]
    if not pairs:
        return [None] * len(inputs)
    return torch.autograd.grad([g for g, _ in pairs], inputs, [d for _, d in pairs], allow_unused=True)
)";

}  // namespace

std::string repro_python(const Chain& chain, const Typed& typed, const Answer& answer, const ReproTitle& title) {
  const ReproBody body = repro_body(Language::python, chain, typed, answer);
  std::string out = commented("#", repro_head(chain, answer, title)) + commented("#", lines_of(start)) +
                    commented("#   ", lines_of(print(chain)));
  if (body.refused) out += "import contextlib\n";
  out += "import math\nimport sys\n\nimport torch\n";
  if (body.functional) out += "import torch.nn.functional as F\n";
  if (body.level) out += "from torch.autograd import forward_ad\n";
  out += "\nfailures = 0\n";
  if (body.tensor) out += tensor_helper;
  if (body.strided) out += strided_helper;
  if (body.check) out += check_helper;
  if (body.refused) out += refused_helper;
  if (body.again) out += again_helper;
  out += "\n\ndef run():\n";
  for (const std::string& line : body.lines) out += "    " + line + "\n";
  out +=
      "\n\ntry:\n    run()\nexcept RuntimeError as error:\n"
      "    sys.exit(f\"observed the error: {error}\\nexpected: no error\")\n"
      "if failures == 0:\n    print(\"as it must be\")\nsys.exit(1 if failures else 0)\n";
  return out;
}

}  // namespace gradsmith
