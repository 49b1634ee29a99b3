#include "audian/conference/client.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "connections.h"
#include "fake_gateway.h"
#include "messages.h"

namespace audian::conference {
namespace {

using namespace audian::conference::testing;  // NOLINT: short forms of messages

static_assert(std::input_iterator<Watch::Iterator>);

Error error_of_get(const Client& client) {
  try {
    client.call(&Client::Stub::GetParticipant, {});
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no error");
}

google::protobuf::Struct parse(const std::string& json) {
  google::protobuf::Struct result;
  if (!google::protobuf::util::JsonStringToMessage(json, &result).ok()) {
    throw std::logic_error("invalid JSON");
  }
  return result;
}

TEST(ClientTest, CallSendsTheCredentialAndThrowsTypedErrors) {
  FakeGateway gateway;
  const Error error = error_of_get(Client(gateway.address(), {.credential = "secret"}));
  EXPECT_EQ(error.code(), grpc::NOT_FOUND);
  EXPECT_EQ(error.message(), "Bearer secret");
}

TEST(ClientTest, SendsNoEmptyCredential) {
  FakeGateway gateway;
  EXPECT_EQ(error_of_get(Client(gateway.address())).message(), "");
}

TEST(ClientTest, RefusesACredentialThatCannotBeSent) {
  try {
    Client("127.0.0.1:1", {.credential = "secret\n"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), grpc::INVALID_ARGUMENT);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
  const Client client("127.0.0.1:1", {.credential = [] { return std::string("secret\n"); }});
  EXPECT_EQ(error_of_get(client).code(), grpc::INVALID_ARGUMENT);
}

TEST(ClientTest, WatchIsARange) {
  FakeGateway gateway({{.messages = {snapshot("t1", {"a"}), end("t2")}}});
  std::vector<State::Kind> kinds;
  for (const State& state : Client(gateway.address()).watch("conf")) kinds.push_back(state.kind);
  EXPECT_EQ(kinds, (std::vector{State::Kind::kSnapshot, State::Kind::kEnd}));
}

TEST(ClientTest, LeavingTheLoopEndsTheCall) {
  FakeGateway gateway({{.messages = {snapshot("t1", {"a"})}, .hold = true}});
  for (const State& state : Client(gateway.address()).watch("conf")) {
    EXPECT_EQ(state.token, "t1");
    break;
  }
  gateway.wait_until_idle();
}

TEST(ClientTest, HasThePublishedServiceConfig) {
  std::ifstream file(AUDIAN_SERVICE_CONFIG);
  std::stringstream published;
  published << file.rdbuf();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(parse(internal::kServiceConfig),
                                                                 parse(published.str())));
}

}  // namespace
}  // namespace audian::conference
