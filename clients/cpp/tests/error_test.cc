#include "audian/conference/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages.h"

namespace audian::conference {
namespace {

using std::chrono::milliseconds;
using testing::error_info;
using testing::retry_info;
using testing::status;

TEST(ErrorTest, HasTheDetailsOfTheGateway) {
  auto info = error_info("INVALID_REQUEST");
  (*info.mutable_metadata())["dialled"] = "no";
  google::rpc::BadRequest bad_request;
  auto& violation = *bad_request.add_field_violations();
  violation.set_field("phone_number");
  violation.set_description("must be a number");
  const auto retry = retry_info(2);

  const Error error(status(grpc::INVALID_ARGUMENT, {&info, &bad_request, &retry}));

  EXPECT_EQ(error.code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(error.code_name(), "INVALID_ARGUMENT");
  EXPECT_EQ(error.message(), "message");
  EXPECT_EQ(error.reason(), "INVALID_REQUEST");
  EXPECT_EQ(error.dialled(), Dialled::kNo);
  ASSERT_EQ(error.field_violations().size(), 1u);
  EXPECT_EQ(error.field_violations()[0].field, "phone_number");
  EXPECT_EQ(error.field_violations()[0].description, "must be a number");
  EXPECT_EQ(error.retry_delay(), milliseconds(2000));
  EXPECT_STREQ(error.what(), "INVALID_ARGUMENT INVALID_REQUEST: message");
}

TEST(ErrorTest, HasNoDetailsIfTheGatewaySentNone) {
  const Error error(grpc::Status(grpc::UNAVAILABLE, "connection reset"));
  EXPECT_EQ(error.reason(), "");
  EXPECT_EQ(error.dialled(), std::nullopt);
  EXPECT_EQ(error.retry_delay(), std::nullopt);
  EXPECT_STREQ(error.what(), "UNAVAILABLE: connection reset");
}

TEST(ErrorTest, IgnoresTheReasonsOfOtherDomains) {
  auto info = error_info("OTHER", "proxy.example");
  (*info.mutable_metadata())["dialled"] = "no";
  const Error error(status(grpc::UNAVAILABLE, {&info}));
  EXPECT_EQ(error.reason(), "");
  EXPECT_EQ(error.dialled(), std::nullopt);
}

TEST(ErrorTest, SurvivesDetailsThatCannotBeRead) {
  const Error error(grpc::Status(grpc::INTERNAL, "message", "\xff\xff"));
  EXPECT_EQ(error.code(), grpc::INTERNAL);
  EXPECT_EQ(error.message(), "message");
}

TEST(ErrorTest, TakesAnUnknownWordForDialledAsUnknown) {
  auto info = error_info("ADD_OUTCOME_UNKNOWN");
  (*info.mutable_metadata())["dialled"] = "maybe";
  EXPECT_EQ(Error(status(grpc::UNKNOWN, {&info})).dialled(), Dialled::kUnknown);
}

TEST(ErrorTest, LimitsTheRetryDelay) {
  const auto negative = retry_info(-1);
  EXPECT_EQ(Error(status(grpc::UNAVAILABLE, {&negative})).retry_delay(), milliseconds(0));
  const auto huge = retry_info(2'000'000'000);
  EXPECT_EQ(Error(status(grpc::UNAVAILABLE, {&huge})).retry_delay(), std::chrono::hours(24));
}

TEST(ErrorTest, TakesACodeThatIsNotKnownAsUnknown) {
  google::rpc::Status proto;
  proto.set_code(99);
  EXPECT_EQ(Error(proto).code_name(), "UNKNOWN");
}

}  // namespace
}  // namespace audian::conference
