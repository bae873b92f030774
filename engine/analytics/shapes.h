#pragma once

#include "engine/aws/shape.h"

/// What requests look like. Source: the service models, versions 2015-08-14 and 2018-05-23.
namespace tidemill::analytics::shapes {

namespace v1 {
extern const aws::Shape kCreateApplication, kDescribeApplication, kListApplications,
    kUpdateApplication, kDeleteApplication, kStartApplication, kStopApplication, kAddInput,
    kAddOutput, kAddReference, kAddLogging, kAddProcessing, kDeleteOutput, kDeleteReference,
    kDeleteLogging, kDeleteProcessing, kDiscoverInputSchema, kTagResource, kUntagResource,
    kListTags;
}  // namespace v1

namespace v2 {
extern const aws::Shape kCreateApplication, kDescribeApplication, kListApplications,
    kUpdateApplication, kDeleteApplication, kStartApplication, kStopApplication, kAddInput,
    kAddOutput, kAddReference, kAddLogging, kAddProcessing, kDeleteOutput, kDeleteReference,
    kDeleteLogging, kDeleteProcessing, kDiscoverInputSchema, kNamesApplication;
}  // namespace v2

}  // namespace tidemill::analytics::shapes
