#pragma once
/// Recall of approximate searches.
#include <cstddef>

namespace unitvec {

/// What a sample of queries found with one effort.
struct RecallPoint {
    std::size_t effort;     ///< ef_search of a graph, nprobe of lists
    double recall;          ///< share of the true k nearest that were found, mean over the sample
    double standard_error;  ///< of that mean
    double microseconds;    ///< a query, on one thread each
};

}  // namespace unitvec
