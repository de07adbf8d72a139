// What makes a chain_fuzzer, and the gradsmith that supervises it, know ops that end or stop the process
// (properties/planted_deadly.cpp); for fuzz/deadly_test.py.
#include "harness/op.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<const Op*>& extra_ops() { return deadly_ops(); }

}  // namespace gradsmith
