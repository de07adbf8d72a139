// The exact scalar tape of the `reference` witness: one node per scalar operation, with partial derivatives in Lanes. On
// duals its sweep is differentiated along the tangents of its leaves: for `second`. Knows nothing of chains, ops or LibTorch.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/lanes.hpp"

namespace gradsmith {

/// A scalar of the computation: its value and its node on the tape (-1: a constant, no derivative).
struct Var {
  Lanes v{};
  int node = -1;
  Var() = default;
  Var(double x) : v(x) {}  // NOLINT: numbers are constants of the maths
  /// What has no node does not move.
  Var(const Lanes& l, int n) : v(n < 0 ? l.with_tangents_of({}) : l), node(n) {}
  double exact() const { return v.exact(); }
};

/// How far two scalars are from where a function of them is another one: those of a comparison that the maths made, by
/// how far they were apart; the operand of a periodic function, by a radian. What makes kinks and turns visible.
struct Branch {
  int a, b;       // nodes, -1 for constants
  double gap;     // value(a) - value(b), lane 0
};

/// The tape of one thread. Records nodes in order; the reverse sweep walks them backwards.
class Tape {
 public:
  struct Node {
    int a, b;      // parents, -1 if none
    double value;  // lane 0, for the rounding bound of `difference`
    Lanes da, db;
  };
  static Tape& active();  ///< the thread's tape

  void clear();
  int leaf(double value, double tangent = 0);  ///< a node without parents
  /// Node of a result with up to two parents; returns -1 (a constant) if neither parent has a node.
  int push(double value, int a, const Lanes& da, int b = -1, const Lanes& db = {});
  /// Records a comparison, folds its outcome into the signature; `disagree`: a replica took the other side.
  void branch(bool outcome, bool disagree, const Branch& b);
  /// A periodic function of this node (-1: none): it turns within a radian, however large its operand.
  void turn(int node) {
    if (recording_ && node >= 0) branches_.push_back({node, -1, 1});
  }

  /// Nodes from here on are those of a kernel that computes in one type and leaves tensors of another (Noise::work_in).
  void work_in(DType computing, DType storage);
  /// Says that the adjoint of this node (-1: none) is an element of a tensor of the type at hand: in a narrow type it
  /// is rounded.
  void keep(int node) {
    if (Noise::narrow() && node >= 0) keep_narrow(node);
  }

  /// Adjoints of all nodes for the given seeds, perturbed like the values. `adjoint` is resized to the tape's length.
  /// Returns false if a cotangent is not finite, the order of a sum decides whether it is, or one of 0 met a partial that is
  /// infinite, or has an infinite tangent: LibTorch multiplies such with the zeros of its masks (NaN), here nothing flows
  /// there. In a narrow type a partial beyond its range is infinite.
  bool sweep(std::vector<Lanes>& adjoint) const;
  /// Tangents of all nodes (lane 0) for tangents given at leaves: forward pass over the partials.
  void tangents(std::vector<double>& tangent) const;
  /// The same in all lanes, perturbed like the values. Returns false where `sweep` would.
  bool tangents(std::vector<Lanes>& tangent) const;

  /// `v` with the tangents that the node has by its parents and partials, while Duals is on; else `v`.
  Lanes moving(const Lanes& v, int node) const {
    return Duals::on() ? v.with_tangents_of(node < 0 ? Lanes() : motions_[node]) : v;
  }

  std::size_t size() const { return nodes_.size(); }
  const Node& operator[](std::size_t i) const { return nodes_[i]; }
  std::uint64_t signature() const { return signature_; }
  bool unstable() const { return unstable_; }
  const std::vector<Branch>& branches() const { return branches_; }
  bool recording() const { return recording_; }
  /// While off, results are constants (no_grad regions).
  void set_recording(bool on) { recording_ = on; }

 private:
  /// Nodes of one kind of kernel, from `first` on.
  struct Run {
    int first;
    DType computing, storage;
  };
  void keep_narrow(int node);
  bool is_kept(std::size_t node) const { return node < kept_.size() && kept_[node] != 0; }
  bool sweep_narrow(std::vector<Lanes>& adjoint) const;

  std::vector<Node> nodes_;
  std::vector<char> kept_;  // by node, up to the last kept one: 1 + the type of its tensor; 0: not kept
  std::vector<Run> runs_;   // in order
  std::vector<Lanes> motions_;  // by node, on duals: its tangents
  Lanes motion(int a, const Lanes& da, int b, const Lanes& db) const;
  std::vector<Branch> branches_;
  std::uint64_t signature_ = 0;
  bool unstable_ = false, recording_ = true;
};

// Arithmetic and functions on Var. Derivatives follow LibTorch's formulas where these read the saved result (numerics.md
// 3.3): tanh, sigmoid, exp, expm1, exp2, sqrt, rsqrt, reciprocal, tan.
Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator-(const Var& a);
Var exp(const Var& x);
Var exp2(const Var& x);
Var expm1(const Var& x);
Var log(const Var& x);
Var log1p(const Var& x);
Var log2(const Var& x);
Var sqrt(const Var& x);
Var rsqrt(const Var& x);
Var reciprocal(const Var& x);
Var sin(const Var& x);
Var cos(const Var& x);
Var tan(const Var& x);
Var sinh(const Var& x);
Var cosh(const Var& x);
Var asinh(const Var& x);
Var atan(const Var& x);
Var tanh(const Var& x);
Var sigmoid(const Var& x);
Var erf(const Var& x);
/// A result with value `v` and partial derivatives given by the maths: for ops that derive by a formula of their own.
Var custom(const Lanes& v, const Var& a, const Lanes& da);
Var custom(const Lanes& v, const Var& a, const Lanes& da, const Var& b, const Lanes& db);
/// Says to the tape that a function of x has a pole, or ends, at a number: where rounding may take x there, nothing is known of
/// what comes.
void note_pole(const Var& x, double at = 0);
/// `x` without a derivative.
inline Var constant(const Var& x) { return Var(x.v, -1); }

// Comparisons decide on lane 0 and are recorded in the branch signature.
bool operator<(const Var& a, const Var& b);
bool operator<=(const Var& a, const Var& b);
bool operator>(const Var& a, const Var& b);
bool operator>=(const Var& a, const Var& b);
bool operator==(const Var& a, const Var& b);
inline bool operator!=(const Var& a, const Var& b) { return !(a == b); }
/// NaN on lane 0; recorded too.
bool isnan(const Var& x);

}  // namespace gradsmith
