#include "common/config/flags.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Settings {
  std::string listen = "127.0.0.1:7402";
  std::string mode = "fast";
  std::string api_key;
  int threads = 2;
  int64_t bytes = 10;
  double rate = 0.5;
  bool verbose = false;
  absl::Duration timeout = absl::Seconds(30);
  std::vector<std::string> peers;
};

class FlagsTest : public testing::Test {
 protected:
  FlagsTest() : flags_("assay-test", "Does nothing.") {
    flags_.Group("Serving");
    flags_.Add("listen", &settings_.listen, "Address to serve on.", {.example = "0.0.0.0:7402"});
    flags_.Add("threads", &settings_.threads, "Worker threads.", {.min = 1, .max = 64});
    flags_.Group("Other things");
    flags_.Add("mode", &settings_.mode, "How to do it.", {.allowed = {"fast", "safe"}});
    flags_.Add("api_key", &settings_.api_key, "The key.", {.secret = true});
    flags_.Add("bytes", &settings_.bytes, "Bytes.");
    flags_.Add("rate", &settings_.rate, "Rate.", {.min = 0, .max = 1});
    flags_.Add("verbose", &settings_.verbose, "Say more.");
    flags_.Add("timeout", &settings_.timeout, "Time to wait.", {.min = 0});
    flags_.Add("peers", &settings_.peers, "Other servers.");
  }

  absl::StatusOr<FlagSet::Outcome> Parse(const std::vector<std::string>& args,
                                         const std::map<std::string, std::string>& env = {}) {
    return flags_.Parse(args, [env](const std::string& name) {
      const auto found = env.find(name);
      return found == env.end() ? std::nullopt : std::optional(found->second);
    });
  }

  Settings settings_;
  FlagSet flags_;
};

TEST_F(FlagsTest, KeepsDefaults) {
  EXPECT_OK(Parse({}));
  EXPECT_EQ(settings_.listen, "127.0.0.1:7402");
  EXPECT_EQ(settings_.timeout, absl::Seconds(30));
}

TEST_F(FlagsTest, ReadsEveryType) {
  EXPECT_OK(Parse({"--listen=:1", "--threads", "8", "--bytes=-5000000000", "--rate=0.25",
                   "--verbose", "--timeout=1h30m", "--peers=a, b,,c", "--mode=safe"}));
  EXPECT_EQ(settings_.listen, ":1");
  EXPECT_EQ(settings_.threads, 8);
  EXPECT_EQ(settings_.bytes, -5000000000);
  EXPECT_EQ(settings_.rate, 0.25);
  EXPECT_TRUE(settings_.verbose);
  EXPECT_EQ(settings_.timeout, absl::Minutes(90));
  EXPECT_THAT(settings_.peers, ElementsAre("a", "b", "c"));
  EXPECT_OK(Parse({"--verbose=false", "--listen=a=b", "--peers="}));
  EXPECT_FALSE(settings_.verbose);
  EXPECT_EQ(settings_.listen, "a=b");
  EXPECT_THAT(settings_.peers, IsEmpty());
}

TEST_F(FlagsTest, FlagWinsOverEnvironmentOverDefault) {
  EXPECT_OK(Parse({"--threads=3"}, {{"ASSAY_THREADS", "4"}, {"ASSAY_LISTEN", ":9"}}));
  EXPECT_EQ(settings_.threads, 3);
  EXPECT_EQ(settings_.listen, ":9");
  EXPECT_EQ(EnvironmentName("idle_window"), "ASSAY_IDLE_WINDOW");
}

TEST_F(FlagsTest, SuggestsTheNearestFlag) {
  EXPECT_THAT(Parse({"--treads=3"}),
              AllOf(HasReason("INVALID_FLAG"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                        HasSubstr("did you mean --threads?"))));
  EXPECT_THAT(Parse({"--completely_different=3"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--help")));
  EXPECT_THAT(Parse({"-threads=3"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean --threads?")));
  EXPECT_THAT(Parse({"---"}), HasReason("INVALID_FLAG"));
  EXPECT_THAT(Parse({"--=1"}), HasReason("INVALID_FLAG"));
}

TEST_F(FlagsTest, RefusesBadValuesAllAtOnce) {
  EXPECT_THAT(
      Parse({"--threads=0", "--rate=2", "--mode=slow", "--verbose=maybe", "--timeout=5",
             "--bytes=1x"},
            {{"ASSAY_THREADS", "many"}}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("--threads must be a whole number from 1 to 64, not \"0\""),
                     HasSubstr("ASSAY_THREADS"), HasSubstr("--rate"),
                     HasSubstr("one of fast, safe"), HasSubstr("--verbose must be true or false"),
                     HasSubstr("--timeout"), HasSubstr("--bytes"))));
  EXPECT_EQ(settings_.threads, 2);
  EXPECT_THAT(Parse({"--listen"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs a value")));
}

TEST_F(FlagsTest, RefusesPositionalArgumentsUnlessAllowed) {
  EXPECT_THAT(Parse({"serve"}), HasReason("INVALID_FLAG"));
  flags_.AllowPositional("<command>");
  ASSAY_ASSERT_OK_AND_ASSIGN(const FlagSet::Outcome outcome,
                             Parse({"serve", "--", "--threads=1", "-"}));
  EXPECT_THAT(outcome.positional, ElementsAre("serve", "--threads=1", "-"));
  EXPECT_EQ(settings_.threads, 2);
}

TEST_F(FlagsTest, HelpTeaches) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const FlagSet::Outcome outcome, Parse({"--help", "--nonsense"}));
  ASSERT_TRUE(outcome.print_and_exit.has_value());
  EXPECT_THAT(*outcome.print_and_exit,
              AllOf(HasSubstr("Serving:"), HasSubstr("Other things:"), HasSubstr("--listen=<text>"),
                    HasSubstr("default: 127.0.0.1:7402; environment: ASSAY_LISTEN; example: "
                              "--listen=0.0.0.0:7402"),
                    HasSubstr("one of: fast, safe"), HasSubstr("default: 30s"),
                    HasSubstr("--print_config")));
}

TEST_F(FlagsTest, NeverPrintsSecrets) {
  settings_.api_key = "hunter2";
  FlagSet flags("assay-test", "Has a secret default.");
  flags.Add("api_key", &settings_.api_key, "The key.", {.secret = true});
  int number = 0;
  EXPECT_THAT(flags.Help(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(flags.PrintConfig(), "api_key=(set, not shown)  # default\n");
  flags.Add("pin", &number, "A number.", {.secret = true});
  const absl::Status status = flags.Parse({"--pin=hunter3"}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("--pin"), Not(HasSubstr("hunter3")))));
}

TEST_F(FlagsTest, PrintConfigShowsSources) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const FlagSet::Outcome outcome,
                             Parse({"--print_config", "--threads=3"}, {{"ASSAY_RATE", "0.1"}}));
  EXPECT_THAT(outcome.print_and_exit.value(),
              AllOf(HasSubstr("threads=3  # flag\n"), HasSubstr("rate=0.1  # environment\n"),
                    HasSubstr("mode=fast  # default\n"), HasSubstr("api_key=(not set)")));
}

TEST_F(FlagsTest, RequiresWhatIsRequired) {
  std::string directory;
  flags_.Add("data", &directory, "Where data is kept.", {.required = true});
  EXPECT_THAT(Parse({}), StatusIs(absl::StatusCode::kInvalidArgument,
                                  AllOf(HasSubstr("--data is required"), HasSubstr("ASSAY_DATA"))));
  EXPECT_OK(Parse({"--data=/tmp"}));
}

TEST_F(FlagsTest, ScopeNamesTheServiceAndLeavesOut) {
  std::string address = "a";
  std::string size = "b";
  std::string peer = "untouched";
  flags_.Scope("trace", {"peer"});
  flags_.Group("Where");
  flags_.Add("address", &address, "Where it is.");
  flags_.Add("trace_size", &size, "How large it is.");
  flags_.Add("peer", &peer, "Nobody may set it.");
  flags_.Scope("");
  EXPECT_OK(Parse({"--trace_address=x", "--trace_size=y"}));
  EXPECT_EQ(address, "x");
  EXPECT_EQ(size, "y");
  EXPECT_EQ(peer, "untouched");
  EXPECT_THAT(flags_.Help(), AllOf(HasSubstr("trace: Where"), HasSubstr("ASSAY_TRACE_ADDRESS"),
                                   Not(HasSubstr("trace_peer"))));
}

TEST(FlagsDeathTest, BadDefinitionsAreBugs) {
  std::string text;
  FlagSet flags("assay-test", "");
  flags.Add("one", &text, "");
  EXPECT_DEATH(flags.Add("one", &text, ""), "defined twice");
  EXPECT_DEATH(flags.Add("Bad-Name", &text, ""), "badly named");
}

}  // namespace
}  // namespace assay::config
