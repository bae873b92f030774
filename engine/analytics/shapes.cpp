#include "engine/analytics/shapes.h"

namespace tidemill::analytics::shapes {
namespace {

using aws::Member;
using aws::Pattern;
using aws::Shape;
using aws::Type;

constexpr std::int64_t kArnMax = 2048;
constexpr std::string_view kFormats[] = {"JSON", "CSV"};
constexpr std::string_view kPositions[] = {"NOW", "TRIM_HORIZON", "LAST_STOPPED_POINT"};
constexpr std::string_view kRuntimes[] = {
    "SQL-1_0",    "FLINK-1_6",          "FLINK-1_8",  "ZEPPELIN-FLINK-1_0",
    "FLINK-1_11", "FLINK-1_13",         "FLINK-1_15", "ZEPPELIN-FLINK-2_0",
    "FLINK-1_18", "ZEPPELIN-FLINK-3_0", "FLINK-1_19", "FLINK-1_20"};
constexpr std::string_view kCodeTypes[] = {"PLAINTEXT", "ZIPFILE"};
constexpr std::string_view kModes[] = {"STREAMING", "INTERACTIVE"};

constexpr Member text(std::string_view name, std::int64_t min, std::int64_t max) {
    return {.name = name, .min = min, .max = max};
}
constexpr Member text(std::string_view name) { return {.name = name}; }
constexpr Member required(Member member) {
    member.is_required = true;
    return member;
}
constexpr Member arn(std::string_view name) { return text(name, 1, kArnMax); }
constexpr Member one_of(std::string_view name, std::span<const std::string_view> values) {
    return {.name = name, .one_of = values};
}
constexpr Member number(std::string_view name, std::int64_t min, std::int64_t max) {
    return {.name = name, .type = Type::Integer, .min = min, .max = max};
}
constexpr Member flag(std::string_view name) { return {.name = name, .type = Type::Boolean}; }
constexpr Member part(std::string_view name, const Shape& shape) {
    return {.name = name, .type = Type::Structure, .shape = &shape};
}
constexpr Member list(std::string_view name, const Shape& shape, std::int64_t min = 0,
                      std::int64_t max = INT64_MAX) {
    return {.name = name, .type = Type::List, .min = min, .max = max, .shape = &shape};
}
constexpr Member id(std::string_view name) {
    return {.name = name, .is_required = true, .min = 1, .max = 50, .pattern = Pattern::Name};
}
constexpr Member application() {
    return {.name = "ApplicationName",
            .is_required = true,
            .min = 1,
            .max = 128,
            .pattern = Pattern::Name};
}
constexpr Member version() { return number("CurrentApplicationVersionId", 1, 999'999'999); }
constexpr Member token() { return text("ConditionalToken", 1, 512); }
constexpr Member stream_name(std::string_view name) { return text(name, 1, 32); }

constexpr Member kTagKey{.name = "member", .min = 1, .max = 128};

// Shared by both versions.
constexpr Member kTagMembers[] = {required(text("Key", 1, 128)), text("Value", 0, 256)};
constexpr Shape kTag{kTagMembers};
constexpr Member kJsonMembers[] = {required(text("RecordRowPath", 1, 65535))};
constexpr Shape kJson{kJsonMembers};
constexpr Member kCsvMembers[] = {required(text("RecordRowDelimiter", 1, 1024)),
                                  required(text("RecordColumnDelimiter", 1, 1024))};
constexpr Shape kCsv{kCsvMembers};
constexpr Member kMappingMembers[] = {part("JSONMappingParameters", kJson),
                                      part("CSVMappingParameters", kCsv)};
constexpr Shape kMapping{kMappingMembers};
constexpr Member kFormatMembers[] = {required(one_of("RecordFormatType", kFormats)),
                                     part("MappingParameters", kMapping)};
constexpr Shape kFormat{kFormatMembers};
constexpr Member kColumnMembers[] = {required(text("Name", 1, 256)), text("Mapping", 0, 65535),
                                     required(text("SqlType", 1, 100))};
constexpr Shape kColumn{kColumnMembers};
constexpr Member kSchemaMembers[] = {required(part("RecordFormat", kFormat)),
                                     text("RecordEncoding"),
                                     required(list("RecordColumns", kColumn, 1, 1000))};
constexpr Shape kSchema{kSchemaMembers};
constexpr Member kSchemaUpdateMembers[] = {part("RecordFormatUpdate", kFormat),
                                           text("RecordEncodingUpdate"),
                                           list("RecordColumnUpdates", kColumn, 1, 1000)};
constexpr Shape kSchemaUpdate{kSchemaUpdateMembers};
constexpr Member kParallelismMembers[] = {number("Count", 1, 64)};
constexpr Shape kParallelism{kParallelismMembers};
constexpr Member kParallelismUpdateMembers[] = {number("CountUpdate", 1, 64)};
constexpr Shape kParallelismUpdate{kParallelismUpdateMembers};
constexpr Member kDestinationMembers[] = {required(one_of("RecordFormatType", kFormats))};
constexpr Shape kDestination{kDestinationMembers};
constexpr Member kPositionMembers[] = {one_of("InputStartingPosition", kPositions)};
constexpr Shape kPosition{kPositionMembers};

}  // namespace

namespace v1 {
namespace {

constexpr Member kResourceMembers[] = {required(arn("ResourceARN")), required(arn("RoleARN"))};
constexpr Shape kResource{kResourceMembers};
constexpr Member kResourceUpdateMembers[] = {arn("ResourceARNUpdate"), arn("RoleARNUpdate")};
constexpr Shape kResourceUpdate{kResourceUpdateMembers};
constexpr Member kProcessingMembers[] = {required(part("InputLambdaProcessor", kResource))};
constexpr Shape kProcessing{kProcessingMembers};
constexpr Member kProcessingUpdateMembers[] = {
    required(part("InputLambdaProcessorUpdate", kResourceUpdate))};
constexpr Shape kProcessingUpdate{kProcessingUpdateMembers};
constexpr Member kInputMembers[] = {
    required(stream_name("NamePrefix")),    part("InputProcessingConfiguration", kProcessing),
    part("KinesisStreamsInput", kResource), part("KinesisFirehoseInput", kResource),
    part("InputParallelism", kParallelism), required(part("InputSchema", kSchema))};
constexpr Shape kInput{kInputMembers};
constexpr Member kInputUpdateMembers[] = {
    id("InputId"),
    stream_name("NamePrefixUpdate"),
    part("InputProcessingConfigurationUpdate", kProcessingUpdate),
    part("KinesisStreamsInputUpdate", kResourceUpdate),
    part("KinesisFirehoseInputUpdate", kResourceUpdate),
    part("InputSchemaUpdate", kSchemaUpdate),
    part("InputParallelismUpdate", kParallelismUpdate)};
constexpr Shape kInputUpdate{kInputUpdateMembers};
constexpr Member kOutputMembers[] = {
    required(stream_name("Name")), part("KinesisStreamsOutput", kResource),
    part("KinesisFirehoseOutput", kResource), part("LambdaOutput", kResource),
    required(part("DestinationSchema", kDestination))};
constexpr Shape kOutput{kOutputMembers};
constexpr Member kOutputUpdateMembers[] = {id("OutputId"),
                                           stream_name("NameUpdate"),
                                           part("KinesisStreamsOutputUpdate", kResourceUpdate),
                                           part("KinesisFirehoseOutputUpdate", kResourceUpdate),
                                           part("LambdaOutputUpdate", kResourceUpdate),
                                           part("DestinationSchemaUpdate", kDestination)};
constexpr Shape kOutputUpdate{kOutputUpdateMembers};
constexpr Member kS3Members[] = {required(arn("BucketARN")), required(text("FileKey", 1, 1024)),
                                 required(arn("ReferenceRoleARN"))};
constexpr Shape kS3{kS3Members};
constexpr Member kS3UpdateMembers[] = {arn("BucketARNUpdate"), text("FileKeyUpdate", 1, 1024),
                                       arn("ReferenceRoleARNUpdate")};
constexpr Shape kS3Update{kS3UpdateMembers};
constexpr Member kReferenceMembers[] = {required(stream_name("TableName")),
                                        part("S3ReferenceDataSource", kS3),
                                        required(part("ReferenceSchema", kSchema))};
constexpr Shape kReference{kReferenceMembers};
constexpr Member kReferenceUpdateMembers[] = {id("ReferenceId"), stream_name("TableNameUpdate"),
                                              part("S3ReferenceDataSourceUpdate", kS3Update),
                                              part("ReferenceSchemaUpdate", kSchema)};
constexpr Shape kReferenceUpdate{kReferenceUpdateMembers};
constexpr Member kLoggingMembers[] = {required(arn("LogStreamARN")), required(arn("RoleARN"))};
constexpr Shape kLogging{kLoggingMembers};
constexpr Member kLoggingUpdateMembers[] = {id("CloudWatchLoggingOptionId"),
                                            arn("LogStreamARNUpdate"), arn("RoleARNUpdate")};
constexpr Shape kLoggingUpdate{kLoggingUpdateMembers};
constexpr Member kDiscoverS3Members[] = {required(arn("RoleARN")), required(arn("BucketARN")),
                                         required(text("FileKey", 1, 1024))};
constexpr Shape kDiscoverS3{kDiscoverS3Members};
constexpr Member kStartMembers[] = {
    id("Id"), required(part("InputStartingPositionConfiguration", kPosition))};
constexpr Shape kStart{kStartMembers};
constexpr Member kUpdateMembers[] = {
    list("InputUpdates", kInputUpdate), text("ApplicationCodeUpdate", 0, 102400),
    list("OutputUpdates", kOutputUpdate), list("ReferenceDataSourceUpdates", kReferenceUpdate),
    list("CloudWatchLoggingOptionUpdates", kLoggingUpdate)};
constexpr Shape kUpdate{kUpdateMembers};

}  // namespace

constexpr Member kDescribeApplicationMembers[] = {application()};
const Shape kDescribeApplication{kDescribeApplicationMembers};
constexpr Member kCreateApplicationMembers[] = {application(),
                                                text("ApplicationDescription", 0, 1024),
                                                list("Inputs", kInput),
                                                list("Outputs", kOutput),
                                                list("CloudWatchLoggingOptions", kLogging),
                                                text("ApplicationCode", 0, 102400),
                                                list("Tags", kTag, 1, 200)};
const Shape kCreateApplication{kCreateApplicationMembers};
constexpr Member kUpdateApplicationMembers[] = {application(), required(version()),
                                                required(part("ApplicationUpdate", kUpdate))};
const Shape kUpdateApplication{kUpdateApplicationMembers};
constexpr Member kListApplicationsMembers[] = {
    number("Limit", 1, 50),
    Member{
        .name = "ExclusiveStartApplicationName", .min = 1, .max = 128, .pattern = Pattern::Name}};
const Shape kListApplications{kListApplicationsMembers};
constexpr Member kStartApplicationMembers[] = {application(),
                                               required(list("InputConfigurations", kStart))};
const Shape kStartApplication{kStartApplicationMembers};
constexpr Member kStopApplicationMembers[] = {application()};
const Shape kStopApplication{kStopApplicationMembers};
constexpr Member kDeleteApplicationMembers[] = {
    application(), Member{.name = "CreateTimestamp", .type = Type::Timestamp, .is_required = true}};
const Shape kDeleteApplication{kDeleteApplicationMembers};
constexpr Member kAddInputMembers[] = {application(), required(version()),
                                       required(part("Input", kInput))};
const Shape kAddInput{kAddInputMembers};
constexpr Member kAddOutputMembers[] = {application(), required(version()),
                                        required(part("Output", kOutput))};
const Shape kAddOutput{kAddOutputMembers};
constexpr Member kAddReferenceMembers[] = {application(), required(version()),
                                           required(part("ReferenceDataSource", kReference))};
const Shape kAddReference{kAddReferenceMembers};
constexpr Member kAddLoggingMembers[] = {application(), required(version()),
                                         required(part("CloudWatchLoggingOption", kLogging))};
const Shape kAddLogging{kAddLoggingMembers};
constexpr Member kAddProcessingMembers[] = {
    application(), required(version()), id("InputId"),
    required(part("InputProcessingConfiguration", kProcessing))};
const Shape kAddProcessing{kAddProcessingMembers};
constexpr Member kDeleteOutputMembers[] = {application(), required(version()), id("OutputId")};
const Shape kDeleteOutput{kDeleteOutputMembers};
constexpr Member kDeleteReferenceMembers[] = {application(), required(version()),
                                              id("ReferenceId")};
const Shape kDeleteReference{kDeleteReferenceMembers};
constexpr Member kDeleteLoggingMembers[] = {application(), required(version()),
                                            id("CloudWatchLoggingOptionId")};
const Shape kDeleteLogging{kDeleteLoggingMembers};
constexpr Member kDeleteProcessingMembers[] = {application(), required(version()), id("InputId")};
const Shape kDeleteProcessing{kDeleteProcessingMembers};
constexpr Member kDiscoverInputSchemaMembers[] = {
    arn("ResourceARN"), arn("RoleARN"), part("InputStartingPositionConfiguration", kPosition),
    part("S3Configuration", kDiscoverS3), part("InputProcessingConfiguration", kProcessing)};
const Shape kDiscoverInputSchema{kDiscoverInputSchemaMembers};
constexpr Member kTagResourceMembers[] = {required(arn("ResourceARN")),
                                          required(list("Tags", kTag, 1, 200))};
const Shape kTagResource{kTagResourceMembers};
constexpr Member kUntagResourceMembers[] = {required(arn("ResourceARN")),
                                            Member{.name = "TagKeys",
                                                   .type = Type::List,
                                                   .is_required = true,
                                                   .min = 1,
                                                   .max = 200,
                                                   .element = &kTagKey}};
const Shape kUntagResource{kUntagResourceMembers};
constexpr Member kListTagsMembers[] = {required(arn("ResourceARN"))};
const Shape kListTags{kListTagsMembers};

}  // namespace v1

namespace v2 {
namespace {

constexpr Member kResourceMembers[] = {required(arn("ResourceARN"))};
constexpr Shape kResource{kResourceMembers};
constexpr Member kResourceUpdateMembers[] = {arn("ResourceARNUpdate")};
constexpr Shape kResourceUpdate{kResourceUpdateMembers};
constexpr Member kProcessingMembers[] = {required(part("InputLambdaProcessor", kResource))};
constexpr Shape kProcessing{kProcessingMembers};
constexpr Member kProcessingUpdateMembers[] = {
    required(part("InputLambdaProcessorUpdate", kResourceUpdate))};
constexpr Shape kProcessingUpdate{kProcessingUpdateMembers};
constexpr Member kInputMembers[] = {
    required(stream_name("NamePrefix")),    part("InputProcessingConfiguration", kProcessing),
    part("KinesisStreamsInput", kResource), part("KinesisFirehoseInput", kResource),
    part("InputParallelism", kParallelism), required(part("InputSchema", kSchema))};
constexpr Shape kInput{kInputMembers};
constexpr Member kInputUpdateMembers[] = {
    id("InputId"),
    stream_name("NamePrefixUpdate"),
    part("InputProcessingConfigurationUpdate", kProcessingUpdate),
    part("KinesisStreamsInputUpdate", kResourceUpdate),
    part("KinesisFirehoseInputUpdate", kResourceUpdate),
    part("InputSchemaUpdate", kSchemaUpdate),
    part("InputParallelismUpdate", kParallelismUpdate)};
constexpr Shape kInputUpdate{kInputUpdateMembers};
constexpr Member kOutputMembers[] = {
    required(stream_name("Name")), part("KinesisStreamsOutput", kResource),
    part("KinesisFirehoseOutput", kResource), part("LambdaOutput", kResource),
    required(part("DestinationSchema", kDestination))};
constexpr Shape kOutput{kOutputMembers};
constexpr Member kOutputUpdateMembers[] = {id("OutputId"),
                                           stream_name("NameUpdate"),
                                           part("KinesisStreamsOutputUpdate", kResourceUpdate),
                                           part("KinesisFirehoseOutputUpdate", kResourceUpdate),
                                           part("LambdaOutputUpdate", kResourceUpdate),
                                           part("DestinationSchemaUpdate", kDestination)};
constexpr Shape kOutputUpdate{kOutputUpdateMembers};
constexpr Member kS3Members[] = {required(arn("BucketARN")), required(text("FileKey", 1, 1024))};
constexpr Shape kS3{kS3Members};
constexpr Member kS3UpdateMembers[] = {arn("BucketARNUpdate"), text("FileKeyUpdate", 1, 1024)};
constexpr Shape kS3Update{kS3UpdateMembers};
constexpr Member kReferenceMembers[] = {required(stream_name("TableName")),
                                        part("S3ReferenceDataSource", kS3),
                                        required(part("ReferenceSchema", kSchema))};
constexpr Shape kReference{kReferenceMembers};
constexpr Member kReferenceUpdateMembers[] = {id("ReferenceId"), stream_name("TableNameUpdate"),
                                              part("S3ReferenceDataSourceUpdate", kS3Update),
                                              part("ReferenceSchemaUpdate", kSchema)};
constexpr Shape kReferenceUpdate{kReferenceUpdateMembers};
constexpr Member kLoggingMembers[] = {required(arn("LogStreamARN"))};
constexpr Shape kLogging{kLoggingMembers};
constexpr Member kLoggingUpdateMembers[] = {id("CloudWatchLoggingOptionId"),
                                            arn("LogStreamARNUpdate")};
constexpr Shape kLoggingUpdate{kLoggingUpdateMembers};
constexpr Member kDiscoverS3Members[] = {required(arn("BucketARN")),
                                         required(text("FileKey", 1, 1024))};
constexpr Shape kDiscoverS3{kDiscoverS3Members};
constexpr Member kStartMembers[] = {
    id("InputId"), required(part("InputStartingPositionConfiguration", kPosition))};
constexpr Shape kStart{kStartMembers};
constexpr Member kCodeContentMembers[] = {text("TextContent", 0, 102400)};
constexpr Shape kCodeContent{kCodeContentMembers};
constexpr Member kCodeMembers[] = {part("CodeContent", kCodeContent),
                                   required(one_of("CodeContentType", kCodeTypes))};
constexpr Shape kCode{kCodeMembers};
constexpr Member kSqlPartsMembers[] = {list("Inputs", kInput), list("Outputs", kOutput),
                                       list("ReferenceDataSources", kReference)};
constexpr Shape kSqlParts{kSqlPartsMembers};
constexpr Member kConfigurationMembers[] = {part("SqlApplicationConfiguration", kSqlParts),
                                            part("ApplicationCodeConfiguration", kCode)};
constexpr Shape kConfiguration{kConfigurationMembers};
constexpr Member kCodeContentUpdateMembers[] = {text("TextContentUpdate", 0, 102400)};
constexpr Shape kCodeContentUpdate{kCodeContentUpdateMembers};
constexpr Member kCodeUpdateMembers[] = {one_of("CodeContentTypeUpdate", kCodeTypes),
                                         part("CodeContentUpdate", kCodeContentUpdate)};
constexpr Shape kCodeUpdate{kCodeUpdateMembers};
constexpr Member kSqlPartsUpdateMembers[] = {list("InputUpdates", kInputUpdate),
                                             list("OutputUpdates", kOutputUpdate),
                                             list("ReferenceDataSourceUpdates", kReferenceUpdate)};
constexpr Shape kSqlPartsUpdate{kSqlPartsUpdateMembers};
constexpr Member kConfigurationUpdateMembers[] = {
    part("SqlApplicationConfigurationUpdate", kSqlPartsUpdate),
    part("ApplicationCodeConfigurationUpdate", kCodeUpdate)};
constexpr Shape kConfigurationUpdate{kConfigurationUpdateMembers};
constexpr Member kRunMembers[] = {list("SqlRunConfigurations", kStart)};
constexpr Shape kRun{kRunMembers};

}  // namespace

constexpr Member kDescribeApplicationMembers[] = {application(), flag("IncludeAdditionalDetails")};
const Shape kDescribeApplication{kDescribeApplicationMembers};
constexpr Member kCreateApplicationMembers[] = {application(),
                                                text("ApplicationDescription", 0, 1024),
                                                required(one_of("RuntimeEnvironment", kRuntimes)),
                                                required(arn("ServiceExecutionRole")),
                                                part("ApplicationConfiguration", kConfiguration),
                                                list("CloudWatchLoggingOptions", kLogging),
                                                list("Tags", kTag, 1, 200),
                                                one_of("ApplicationMode", kModes)};
const Shape kCreateApplication{kCreateApplicationMembers};
constexpr Member kUpdateApplicationMembers[] = {
    application(),
    version(),
    part("ApplicationConfigurationUpdate", kConfigurationUpdate),
    arn("ServiceExecutionRoleUpdate"),
    list("CloudWatchLoggingOptionUpdates", kLoggingUpdate),
    token()};
const Shape kUpdateApplication{kUpdateApplicationMembers};
constexpr Member kListApplicationsMembers[] = {
    number("Limit", 1, 50),
    Member{.name = "NextToken", .min = 1, .max = 128, .pattern = Pattern::Name}};
const Shape kListApplications{kListApplicationsMembers};
constexpr Member kStartApplicationMembers[] = {application(), part("RunConfiguration", kRun)};
const Shape kStartApplication{kStartApplicationMembers};
constexpr Member kStopApplicationMembers[] = {application(), flag("Force")};
const Shape kStopApplication{kStopApplicationMembers};
constexpr Member kNamesApplicationMembers[] = {application()};
const Shape kNamesApplication{kNamesApplicationMembers};
constexpr Member kDeleteApplicationMembers[] = {
    application(), Member{.name = "CreateTimestamp", .type = Type::Timestamp, .is_required = true}};
const Shape kDeleteApplication{kDeleteApplicationMembers};
constexpr Member kAddInputMembers[] = {application(), required(version()),
                                       required(part("Input", kInput))};
const Shape kAddInput{kAddInputMembers};
constexpr Member kAddOutputMembers[] = {application(), required(version()),
                                        required(part("Output", kOutput))};
const Shape kAddOutput{kAddOutputMembers};
constexpr Member kAddReferenceMembers[] = {application(), required(version()),
                                           required(part("ReferenceDataSource", kReference))};
const Shape kAddReference{kAddReferenceMembers};
constexpr Member kAddLoggingMembers[] = {application(), version(), token(),
                                         required(part("CloudWatchLoggingOption", kLogging))};
const Shape kAddLogging{kAddLoggingMembers};
constexpr Member kAddProcessingMembers[] = {
    application(), required(version()), id("InputId"),
    required(part("InputProcessingConfiguration", kProcessing))};
const Shape kAddProcessing{kAddProcessingMembers};
constexpr Member kDeleteOutputMembers[] = {application(), required(version()), id("OutputId")};
const Shape kDeleteOutput{kDeleteOutputMembers};
constexpr Member kDeleteReferenceMembers[] = {application(), required(version()),
                                              id("ReferenceId")};
const Shape kDeleteReference{kDeleteReferenceMembers};
constexpr Member kDeleteLoggingMembers[] = {application(), version(), token(),
                                            id("CloudWatchLoggingOptionId")};
const Shape kDeleteLogging{kDeleteLoggingMembers};
constexpr Member kDeleteProcessingMembers[] = {application(), required(version()), id("InputId")};
const Shape kDeleteProcessing{kDeleteProcessingMembers};
constexpr Member kDiscoverInputSchemaMembers[] = {
    arn("ResourceARN"), required(arn("ServiceExecutionRole")),
    part("InputStartingPositionConfiguration", kPosition), part("S3Configuration", kDiscoverS3),
    part("InputProcessingConfiguration", kProcessing)};
const Shape kDiscoverInputSchema{kDiscoverInputSchemaMembers};

}  // namespace v2

}  // namespace tidemill::analytics::shapes
