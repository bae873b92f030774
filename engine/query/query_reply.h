#pragma once

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/io/task.h"

namespace tidemill::query {

/// Where the frames of one answer go. The native door has one of these for every request; here it
/// is a seam, because this folder does not know the door.
class QueryReply {
 public:
    virtual ~QueryReply() = default;
    /// False once nobody wants the answer any more: end soon.
    virtual bool is_wanted() const = 0;
    /// One frame: a table of proto/sql.fbs.
    virtual void send(Bytes table, bool is_last) = 0;
    virtual void send_error(const Error& error) = 0;  ///< the last frame
    /// Resumes when there is room for more output.
    virtual Task<void> wait_for_room() = 0;
};

}  // namespace tidemill::query
