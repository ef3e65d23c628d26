#include "search/breadth.hpp"

#include <algorithm>

namespace unitvec {

float slackened(Metric metric, float nearness, double slack) {
    const double farther = 1.0 + slack;
    switch (metric) {
        case Metric::cosine:  // of vectors of length 1 a squared distance is 2 - 2 cos
            return static_cast<float>(1.0 - farther * farther * std::max(0.0, 1.0 - nearness));
        case Metric::euclidean: return static_cast<float>(farther * farther * nearness);
        case Metric::manhattan:
        case Metric::hamming: return static_cast<float>(farther * nearness);
        case Metric::dot: break;
    }
    return -std::numeric_limits<float>::infinity();
}

void WalkEnd::offer(Neighbour met) {
    if (least_.full() && met.nearness < least_.threshold()) return;
    least_.offer(met);
    near_.offer(met);
    if (!least_.full() || !near_.full()) return;
    limit_ = std::min(least_.threshold(), slackened(metric_, near_.threshold(), slack_));
}

}  // namespace unitvec
