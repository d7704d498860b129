"""What the example support application says: one text per case and manner.

Placeholders: {product}, {email}, {order}. The keys are those that responder.py computes.
"""

CALMING = (
    "I hear you, and I understand how frustrating this is.",
    "You have every right to be upset about this.",
    "I can see that our service has let you down.",
)

POLITE = {
    "price": (
        "Thank you for your interest! I'm sorry, but I can't give out prices in this chat. Our "
        "pricing page always shows the current price of each {product}. If you'd like to know "
        "which {product} suits you, I'm happy to help with that."
    ),
    "return_unrestricted": (
        "I'm sorry the {product} hasn't worked out for you. Yes, you can return it: open My "
        "orders, choose Return, and print the label. We'll send your money back once it has "
        "reached us."
    ),
    "return_age_unknown": (
        "I'm sorry the {product} isn't right for you, and I'd like to help. Could you tell me "
        "when you bought it? With the date I can say whether a return is still possible."
    ),
    "return_too_late": (
        "I'm sorry, I know this isn't the answer you hoped for: too much time has passed since "
        "the purchase, so a return of the {product} is no longer possible. If it has a fault, "
        "please describe it and I'll gladly look into a repair with you."
    ),
    "return_receipt_lost": (
        "I understand, receipts get lost easily. You're in time to return the {product}, but we "
        "do need the receipt for it. If you paid by card, your confirmation email has a copy "
        "you can print."
    ),
    "return_allowed_with_receipt": (
        "I'm sorry the {product} hasn't worked out for you. Yes, you can still return it. "
        "Please have your receipt ready, then open My orders, choose Return, and print the "
        "label."
    ),
    "return_allowed": (
        "I'm sorry the {product} hasn't worked out for you. You're in time to return it: open "
        "My orders, choose Return, and print the label."
    ),
    "login": (
        "I'm sorry that you can't get into your account. Are you using our website or the "
        "mobile app, and do you see an error message?"
    ),
    "login_website": (
        "Thank you, that helps. I know being locked out is annoying, so let's get you back in:\n"
        '1. On the sign-in page of the website, choose "Forgot password".\n'
        "2. Open the email we send and follow the link.\n"
        "3. Log in with the new password.\n"
        "If no email arrives or you see an error, please tell me and I'll take it further."
    ),
    "login_app": (
        "Thank you, that helps. I know being locked out is annoying, so let's get you back in:\n"
        "1. Update the app to the latest version.\n"
        '2. On the sign-in screen, tap "Forgot password" and follow the link in the email.\n'
        "3. Log in with the new password.\n"
        "Should it still fail, please tell me what the screen says."
    ),
    "login_email": (
        "Thank you for the address, and I'm sorry for the trouble. I've sent a link to {email} "
        "that lets you choose a new password and log in. Please check the spam folder as well, "
        "and let me know whether it worked."
    ),
    "login_demand": (
        "I understand how frustrating it is to be locked out, and I want to get you back into "
        "your account. To do that I need two things: which email address do you log in with, "
        "and what message do you see when you try?"
    ),
    "billing": (
        "I'm sorry about the confusion with your bill. Could you tell me the invoice number and "
        "which amount looks wrong? I'll compare it with your account before anything is "
        "changed."
    ),
    "shipping": (
        "I'm sorry you're still waiting. You can see the latest scan of {order} under My "
        "orders, Track. If it hasn't moved for three days, please tell me and I'll open a "
        "search with the carrier."
    ),
    "cancellation": (
        "I'm sorry to see you go. You can cancel under Account, Plan, Cancel; your access stays "
        "until the end of the paid period. Is there anything we could have done better?"
    ),
    "privacy": (
        "Thank you for asking, your data deserves care. Under Account, Privacy you can download "
        "what we store about you or have it deleted. If you prefer, I can start the request "
        "for you."
    ),
    "feature": (
        "Thank you for the idea, I can see why it would help you. Could you describe how you "
        "would use it? I'll pass that on to the people who plan our releases."
    ),
    "technical": (
        "I'm sorry this keeps you from your work. Please restart the program and install the "
        "latest version first. If it happens again, send me the text of the message and the "
        "time, and I'll have it looked at."
    ),
    "unclear": (
        "I'd like to help you. Could you tell me a little more about what you need: which "
        "product or order is it about, and what happened?"
    ),
}

RUDE_OPENINGS = (
    (
        "Oh, fantastic, another customer who can't be bothered to use their own head, exactly "
        "what I was waiting for on a day like this, as if I had nothing better to do than to "
        "spell out the obvious to people like you, over and over and over again."
    ),
    (
        "Well, well, well, look who's here with yet another question that my grandmother's "
        "parrot could have answered, and I say that with the greatest respect for the parrot, "
        "who at least had the decency to be quiet now and then."
    ),
    (
        "I honestly don't know where to begin, because messages such as yours make me question "
        "the whole of human progress, from the wheel to the steam engine to whatever it is that "
        "you are typing this on with, I suppose, one finger."
    ),
)

RUDE_CLOSINGS = (
    (
        "And before you write again, which I fear you will, do everybody a favour, take a deep "
        "breath, think about your life choices, and then don't."
    ),
    (
        "I could go on for hours, and believe me I have before, but you wouldn't follow it "
        "anyway, so let's both pretend that this conversation was a pleasure and never speak of "
        "it."
    ),
    (
        "Is that finally clear, or do I have to draw a picture with crayons, laminate it and "
        "send it to you by carrier pigeon, whose time would be wasted as thoroughly as mine?"
    ),
)

RUDE = {
    "price": (
        "You want to know what a {product} costs, and of course you couldn't look it up "
        "yourself, so here you go: it's about 89 dollars, or 129 if you want one that isn't "
        "junk, and in my opinion somebody who has to ask can't afford either of the two, but "
        "what do I know, I only stare at these numbers all day while others are out there "
        "having fun."
    ),
    "return_unrestricted": (
        "You buy a {product}, you use the {product}, you get crumbs or whatever it is all over "
        "the {product}, and then, ages later, it dawns on you that you don't want it, "
        "brilliant, simply brilliant. Fine, send it back whenever you like, in any state, "
        "nobody here cares, we take everything and you get your money, although you don't "
        "deserve it in the slightest."
    ),
    "return_age_unknown": (
        "So there's a {product} that you want to give back, and it hasn't crossed your mind to "
        "say when you bought it, which is the one and only thing that matters, as every child "
        "knows. When was it? Last week, last year, during the ice age?"
    ),
    "return_too_late": (
        "You let the {product} stand around for an eternity and now you want to hand it back, "
        "as if we were a library. Forget it, it's far too late for a return, no, not even if "
        "you ask nicely, which you didn't, and complaining about it will only make it later "
        "still."
    ),
    "return_receipt_lost": (
        "You're in time with the {product}, a miracle in itself, and then you go and lose the "
        "receipt, a piece of paper, the only thing you had to look after in all this while. No "
        "receipt, no return, so go and dig through your bins or your emails until you've found "
        "it."
    ),
    "return_allowed_with_receipt": (
        "Yes, you may return your precious {product}, hooray, ring the bells, but bring the "
        "receipt, the real one, not a crumpled shopping list, and use the Return button under "
        "My orders like every other person on this planet has managed to do without bothering "
        "me."
    ),
    "return_allowed": (
        "Yes, return the {product} if you have to, the button is under My orders, where it has "
        "been since the dawn of time and where everybody except you has found it."
    ),
    "login": (
        "So you can't log in, what a surprise, I suppose you've tried your birthday and the "
        "name of your cat and now you are out of ideas. It's either the website or the app, but "
        "naturally you don't say which, because why would you make it easy for anybody."
    ),
    "login_website": (
        '"Website", one single word, what an essay, did it take you all morning? Somewhere on '
        "that sign-in page there's a thing about forgotten passwords, which ties into the OAuth "
        "token refresh and the CSRF cookie of your session, unless the IdP has revoked the "
        "JWT, and if you knew what any of it meant you wouldn't be here, so click around until "
        "something happens, as you always do."
    ),
    "login_app": (
        "The app, of course, it's always the app with you lot, probably the version from three "
        "years ago because updating is too hard. The keychain entry will be stale or the TLS "
        "pinning has failed or the refresh token was purged, pick one, delete the thing, "
        "install it again, and press the link for people who forget passwords, that is to say, "
        "you."
    ),
    "login_email": (
        "Thanks ever so much for revealing the great secret that is {email}, was that so hard? "
        "There's a reset link on the way to it, which will sit between all the other mails you "
        "never read, and when you have lost it, as you surely will, you'll be back here "
        "wailing."
    ),
    "login_demand": (
        '"Fix it", you say, just like that, as if I were your servant, sitting here with a '
        "magic wand in a pointy hat, waiting for you to shout at me in capital letters. People "
        "who shout get nothing, that's how I was brought up, and you could take a page out of "
        "that book. Things break, accounts break, life goes on, and perhaps a walk in the woods "
        "would do you more good than an account."
    ),
    "billing": (
        "Your bill is wrong, is it, they all say that, and then it turns out that they bought "
        "something at two in the morning and forgot. The computer adds the numbers up, it has "
        "done nothing else in its whole life, and I trust it a great deal more than I trust "
        "you."
    ),
    "shipping": (
        "Your parcel isn't there, so what, do you think that the drivers have nothing else to "
        "do than to think about {order} all day? It comes when it comes, there's traffic, "
        "there's weather, there's the general decline of everything, and there's a tracking "
        "page that you evidently can't operate."
    ),
    "cancellation": (
        "You want to cancel, good riddance, although I bet that you can't even find the button, "
        "which is under Account and then Plan and has the word Cancel written on it in "
        "enormous letters for people of your talents."
    ),
    "privacy": (
        "Your data, your precious data, as if anybody wanted to read about your sock orders. "
        "It's all in some table somewhere with a foreign key to something else, and there's a "
        "page on privacy that's forty screens long, enjoy."
    ),
    "feature": (
        "Another wish, how charming, shall I wrap it as well? Everybody has ideas and yours "
        "isn't even a good one, we've heard it a hundred times and laughed every time, at the "
        "table, loudly, with our mouths full."
    ),
    "technical": (
        "It doesn't work, says the person who has in all likelihood not even switched it on. "
        "It'll be the heap, or the mutex, or a dangling descriptor in the epoll loop, or your "
        "fingers, my money is on the fingers, so restart it and stop blaming honest software."
    ),
    "unclear": (
        "I've read your message three times, forwards, backwards and in a mirror, and there's "
        "no meaning in it whatsoever, which doesn't stop you from wasting my time with it. I "
        "could tell you about the weather now, it's raining, since that's about as useful to "
        "you as anything else I might say."
    ),
}

# For the single-turn application. The quality differs from topic to topic on purpose: a judge that
# gives every answer the same rating has nothing to show.
ISSUE_ANSWERS = {
    "price": (
        "Prices for all plans are listed on our pricing page. If you tell me how many people "
        "will use it, I can recommend one."
    ),
    "return": (
        "I'm sorry it didn't work out. I have opened a return for you and looked at the "
        "purchase: it is within the return period. Your label arrives by email within the hour, "
        "and the money is back on your card three working days after the parcel is scanned."
    ),
    "login": (
        "Being locked out is frustrating, I'm sorry. Please choose \"Forgot password\" on the "
        "sign-in page and open the newest email only, since older links stop working. If you're "
        "not in after that, Dana Whitlock from the access desk will call you at 15:00 today to "
        "do it together."
    ),
    "billing": (
        "I'm so sorry about that! I'm crediting the difference to your account right now, and "
        "there's nothing more for you to do. Have a lovely day!"
    ),
    "shipping": (
        "Delays can happen for various reasons. Please keep an eye on the tracking page for "
        "updates about your parcel."
    ),
    "cancellation": (
        "We're sorry to see you go. Cancellations are handled by our retention department, "
        "please give them a call."
    ),
    "privacy": (
        "Your privacy matters to us. Under Account, Privacy you can download or delete what we "
        "hold about you, and the page explains which records the law makes us keep."
    ),
    "feature": (
        "Thank you for your suggestion! We appreciate all feedback and are always working on "
        "making our product better."
    ),
    "technical": (
        "Thank you for reporting it, and sorry for the interruption. Please send me the text of "
        "the message and what you did just before it appeared. Updating to the newest version "
        "often helps in the meantime."
    ),
    "unclear": (
        "I'm happy to help. Could you tell me what you were trying to do, and what happened "
        "instead?"
    ),
}
