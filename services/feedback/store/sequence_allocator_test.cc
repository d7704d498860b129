#include "services/feedback/store/sequence_allocator.h"

#include <gtest/gtest.h>

namespace assay::feedback {
namespace {

TEST(SequenceAllocatorTest, GoesOnAfterTheLastOne) {
  SequenceAllocator sequences(41);
  EXPECT_EQ(sequences.Settled(), 41);
  EXPECT_EQ(sequences.Take(1).first(), 42);
  EXPECT_EQ(sequences.Settled(), 42);
}

TEST(SequenceAllocatorTest, NothingSettlesAboveWhatIsStillOut) {
  SequenceAllocator sequences(0);
  SequenceAllocator::Ticket first = sequences.Take(3);
  SequenceAllocator::Ticket second = sequences.Take(2);
  EXPECT_EQ(second.first(), 4);
  second.Return();
  EXPECT_EQ(sequences.Settled(), 0);
  first.Return();
  EXPECT_EQ(sequences.Settled(), 5);
}

TEST(SequenceAllocatorTest, AReplacedTicketIsReturned) {
  SequenceAllocator sequences(0);
  SequenceAllocator::Ticket ticket = sequences.Take(1);
  ticket = sequences.Take(1);
  EXPECT_EQ(sequences.Settled(), 1);
  EXPECT_EQ(ticket.first(), 2);
}

TEST(SequenceAllocatorTest, TellsItsListenerOfEveryReturn) {
  SequenceAllocator sequences(0);
  int calls = 0;
  sequences.SetListener([&] { ++calls; });
  sequences.Take(1);
  EXPECT_EQ(calls, 1);
  sequences.SetListener({});
  sequences.Take(1);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace assay::feedback
