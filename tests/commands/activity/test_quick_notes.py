"""The parser of quick notes: what was done, with whom, on which day, and the next step."""

from decimal import Decimal

import pytest

from crm.commands.activity.quick_notes import UnreadDayError, read_notes
from crm.errors import FieldError
from crm.model import Conventions
from tests.support.clocks import TODAY, standing_on

pytestmark = pytest.mark.dated

# Saturday, November 21, 2026, nine in the morning.
US = Conventions(clock=standing_on(TODAY))
TEAMS = {language: Conventions(language=language, clock=standing_on(TODAY)) for language in ("en_GB", "de_AT")}

# What is typed; the kind; the client and the text; what has happened, on which day; what is to follow, on which day.
NOTES = [
    # A past day dates the entry.
    ("Met Greta Galanis yesterday, she likes the oak sample",
     "meeting", "Greta Galanis, she likes the oak sample", "2026-11-20", ""),
    ("call Villa Aurora yesterday, wants a quote", "call", "Villa Aurora, wants a quote", "2026-11-20", ""),
    ("call Acme, yesterday, wants a quote", "call", "Acme, wants a quote", "2026-11-20", ""),
    ("yesterday met Greta, likes oak", "meeting", "Greta, likes oak", "2026-11-20", ""),
    ("yesterday: call Acme, wants a quote", "call", "Acme, wants a quote", "2026-11-20", ""),
    ("called Acme 3 days ago about the fair", "call", "Acme about the fair", "2026-11-18", ""),
    ("met Greta on monday, likes oak", "meeting", "Greta, likes oak", "2026-11-16", ""),
    ("met Greta, last friday, likes oak", "meeting", "Greta, likes oak", "2026-11-20", ""),
    ("met Greta monday", "meeting", "Greta", "2026-11-16", ""),
    ("met Greta, 20 nov, likes oak", "meeting", "Greta, likes oak", "2026-11-20", ""),
    ("met Greta yesterday 14:00, likes oak", "meeting", "Greta, likes oak", "2026-11-20 14:00", ""),
    ("met Greta today, likes oak", "meeting", "Greta, likes oak", "2026-11-21", ""),
    ("call Acme yesterday, wants a quote, fri", "call", "Acme, wants a quote", "2026-11-20", "2026-11-27"),
    ("meeting with Acme on Nov 13, 2026, signed", "meeting", "Acme, signed", "2026-11-13", ""),
    # Morning and afternoon in one letter.
    ("call Cody Stoltzfus, pallets, tomorrow 2p", "call", "Cody Stoltzfus, pallets", "2026-11-21", "2026-11-22 14:00"),
    ("call Greta about pallets tmrw 9a", "call", "Greta about pallets", "2026-11-21", "2026-11-22 09:00"),
    ("call Greta next tues 9:30a, bring samples", "call", "Greta, bring samples", "", "2026-11-24 09:30"),
    ("meet Greta tomorrow 2-3p", "meeting", "Greta", "", "2026-11-22 14:00 to 15:00"),
    ("met Greta at gate 4a yesterday", "meeting", "Greta at gate 4a", "2026-11-20", ""),
    # An emoji is text.
    ("call Greta [bold]x[/bold] 🎉 tomorrow", "call", "Greta [bold]x[/bold] 🎉", "2026-11-21", "2026-11-22"),
    ("call Greta tomorrow 🎉", "call", "Greta 🎉", "2026-11-21", "2026-11-22"),
    # Without a day or "at" it is none.
    ("visited Greta, gate 4a", "meeting", "Greta, gate 4a", "2026-11-21", ""),
    ("call Greta about section 2a", "call", "Greta about section 2a", "2026-11-21", ""),
    ("call Greta monday about plan 3p", "call", "Greta about plan 3p", "", "2026-11-23"),
    ("call Greta at 2p tomorrow", "call", "Greta", "", "2026-11-22 14:00"),
    # Also without a comma, behind the text.
    ("Sven called about the table yesterday", "call", "Sven, about the table", "2026-11-20", ""),
    ("Sven called about the table yesterday at 14:00", "call", "Sven, about the table", "2026-11-20 14:00", ""),
    ("Jonas Marchetti visited us yesterday at 14:00", "meeting", "Jonas Marchetti, us", "2026-11-20 14:00", ""),
    ("met Greta, signed last friday at 10", "meeting", "Greta, signed", "2026-11-20 10:00", ""),
    ("called Acme about prices 3 days ago", "call", "Acme about prices", "2026-11-18", ""),
    ("met Greta in town last night", "meeting", "Greta in town", "2026-11-20 18:00", ""),
    ("Acme signed the contract last monday", "note", "Acme signed the contract", "2026-11-16", ""),
    ("call Acme, complains about delivery last week", "call", "Acme, complains about delivery last week",
     "2026-11-21", ""),
    ("called Greta about the oak of yesterday", "call", "Greta about the oak of yesterday", "2026-11-21", ""),
    # Weekends, evenings, and places in a month are days like others, and are read whole.
    ("call Greta this weekend", "call", "Greta", "", "2026-11-21"),
    ("call Greta next weekend", "call", "Greta", "", "2026-11-28"),
    ("call Greta in a few days", "call", "Greta", "", "2026-11-24"),
    ("call Greta q1", "call", "Greta", "", "2027-01-01"),
    ("visit Hotel Seeblick Thursday week", "meeting", "Hotel Seeblick", "", "2026-12-03"),
    ("dinner with Zilinsky tonight", "meeting", "Zilinsky", "", "2026-11-21 18:00"),
    ("call Greta, first monday of december", "call", "Greta", "", "2026-12-07"),
    ("call Greta on the last friday of december", "call", "Greta", "", "2026-12-25"),
    ("meeting Villa Aurora second tuesday in january", "meeting", "Villa Aurora", "", "2027-01-12"),
    ("call Greta, wants a quote, on the first friday of next month at 10:00",
     "call", "Greta, wants a quote", "2026-11-21", "2026-12-04 10:00"),
    ("Greta called, closed over the weekend", "call", "Greta, closed over the weekend", "2026-11-21", ""),
    ("Greta called, wants it by the end of the year", "call", "Greta, wants it", "2026-11-21", "2026-12-31"),
    # A future day plans it.
    ("meeting Villa Aurora, monday 14:30", "meeting", "Villa Aurora", "", "2026-11-23 14:30"),
    ("meeting with Villa Aurora monday 14:30", "meeting", "Villa Aurora", "", "2026-11-23 14:30"),
    ("meeting with Acme monday 14:30, bring samples", "meeting", "Acme, bring samples", "", "2026-11-23 14:30"),
    ("meeting Acme, bring samples, monday 14:30", "meeting", "Acme, bring samples", "", "2026-11-23 14:30"),
    ("lunch with Jonas Marchetti tomorrow noon", "meeting", "Jonas Marchetti", "", "2026-11-22 12:00"),
    ("call Villa Aurora, 5 dec", "call", "Villa Aurora", "", "2026-12-05"),
    ("email Villa Aurora, 12/24", "email", "Villa Aurora", "", "2026-12-24"),
    ("email Villa Aurora, 12/24/2026", "email", "Villa Aurora", "", "2026-12-24"),
    ("call Acme tomorrow 9", "call", "Acme", "", "2026-11-22 09:00"),
    ("call Acme tomorrow, ask about the tables", "call", "Acme, ask about the tables", "", "2026-11-22"),
    ("tomorrow call Acme", "call", "Acme", "", "2026-11-22"),
    ("fri 10:00 meeting with Acme", "meeting", "Acme", "", "2026-11-27 10:00"),
    ("mail Acme in two weeks at 9am", "email", "Acme", "", "2026-12-05 09:00"),
    ("visit Acme next tuesday", "meeting", "Acme", "", "2026-11-24"),
    ("Acme today at 16h", "note", "Acme", "", "2026-11-21 16:00"),
    ("Acme, by end of month", "note", "Acme", "", "2026-11-30"),
    # Also where the verb says that it has been: it cannot have been on a day to come.
    ("called Acme tomorrow", "call", "Acme", "", "2026-11-22"),
    ("met Anna next tuesday", "meeting", "Anna", "", "2026-11-24"),
    ("met Anna on 2026-12-24", "meeting", "Anna", "", "2026-12-24"),
    ("visited Anna in two weeks", "meeting", "Anna", "", "2026-12-05"),
    ("tomorrow met Anna", "meeting", "Anna", "", "2026-11-22"),
    # A time alone is one of today: later it is planned, earlier it is when it was. It is nine in the morning.
    ("meeting Acme 23:30", "meeting", "Acme", "", "2026-11-21 23:30"),
    ("meeting Acme 11pm", "meeting", "Acme", "", "2026-11-21 23:00"),
    ("meeting Acme at 14:00", "meeting", "Acme", "", "2026-11-21 14:00"),
    ("meeting with Acme 14:00, bring samples", "meeting", "Acme, bring samples", "", "2026-11-21 14:00"),
    ("meeting 14:00 Acme", "meeting", "Acme", "", "2026-11-21 14:00"),
    ("meeting at 14:00 with Acme", "meeting", "Acme", "", "2026-11-21 14:00"),
    ("14:00 meeting Acme", "meeting", "Acme", "", "2026-11-21 14:00"),
    ("meeting tomorrow with Acme", "meeting", "Acme", "", "2026-11-22"),
    ("meeting Acme tomorrow for lunch", "meeting", "Acme for lunch", "", "2026-11-22"),
    ("met Acme 23:30", "meeting", "Acme", "", "2026-11-21 23:30"),
    ("met Acme 08:30", "meeting", "Acme", "2026-11-21 08:30", ""),
    ("meeting Acme 08:30", "meeting", "Acme", "2026-11-21 08:30", ""),
    ("met Acme at 8:30, likes oak", "meeting", "Acme, likes oak", "2026-11-21 08:30", ""),
    ("call Acme at 10:00", "call", "Acme", "", "2026-11-21 10:00"),
    ("call Acme @ 15:00", "call", "Acme", "", "2026-11-21 15:00"),
    ("lunch with Acme at noon", "meeting", "Acme", "", "2026-11-21 12:00"),
    ("call Acme, wants a quote, 15:00", "call", "Acme, wants a quote", "2026-11-21", "2026-11-21 15:00"),
    ("call Acme, wants a quote at 15:00", "call", "Acme, wants a quote", "2026-11-21", "2026-11-21 15:00"),
    ("Acme 16:00", "note", "Acme", "", "2026-11-21 16:00"),
    # An hour alone is the next one at which people work; one that has been, the last of today.
    ("meeting Acme at 3", "meeting", "Acme", "", "2026-11-21 15:00"),
    ("meeting with Acme at 3, bring samples", "meeting", "Acme, bring samples", "", "2026-11-21 15:00"),
    ("call Acme @3", "call", "Acme", "", "2026-11-21 15:00"),
    ("at 4 call Acme", "call", "Acme", "", "2026-11-21 16:00"),
    ("meeting at 11 with Acme", "meeting", "Acme", "", "2026-11-21 11:00"),
    ("call Acme at 8", "call", "Acme", "", "2026-11-22 08:00"),
    ("call Acme at 17", "call", "Acme", "", "2026-11-21 17:00"),
    ("met Acme at 8, likes oak", "meeting", "Acme, likes oak", "2026-11-21 08:00", ""),
    ("call Acme, wants a quote, at 3", "call", "Acme, wants a quote", "2026-11-21", "2026-11-21 15:00"),
    ("call Acme tomorrow at 3", "call", "Acme", "", "2026-11-22 15:00"),
    ("call Acme tomorrow 3", "call", "Acme", "", "2026-11-22 15:00"),
    ("call Acme tomorrow at 03:00", "call", "Acme", "", "2026-11-22 03:00"),
    ("meeting Acme 3", "meeting", "Acme 3", "2026-11-21", ""),
    ("met Acme at 30", "meeting", "Acme at 30", "2026-11-21", ""),
    # From one time to another: it begins at the first.
    ("meeting Acme 10:00-11:00", "meeting", "Acme", "", "2026-11-21 10:00 to 11:00"),
    ("meeting Acme 10:00 - 11:30, bring samples", "meeting", "Acme, bring samples", "", "2026-11-21 10:00 to 11:30"),
    ("meeting Acme fri 10:00\u201311:00", "meeting", "Acme", "", "2026-11-27 10:00 to 11:00"),
    ("meeting Acme, monday, 14:00 to 15:30", "meeting", "Acme", "", "2026-11-23 14:00 to 15:30"),
    ("meeting with Acme tomorrow from 10 to 11", "meeting", "Acme", "", "2026-11-22 10:00 to 11:00"),
    ("meeting Acme 2-3pm", "meeting", "Acme", "", "2026-11-21 14:00 to 15:00"),
    ("meeting Acme 11am-1pm", "meeting", "Acme", "", "2026-11-21 11:00 to 13:00"),
    ("10:00-11:00 meeting with Acme", "meeting", "Acme", "", "2026-11-21 10:00 to 11:00"),
    ("met Acme 7:00-8:00", "meeting", "Acme", "2026-11-21 07:00 to 08:00", ""),
    ("met Acme yesterday 10-11am, likes oak", "meeting", "Acme, likes oak", "2026-11-20 10:00 to 11:00", ""),
    ("call Acme, wants 10-12 chairs", "call", "Acme, wants 10-12 chairs", "2026-11-21", ""),
    ("call Acme, open 9:00-17:00", "call", "Acme, open 9:00-17:00", "2026-11-21", ""),
    # Hours from now, and ago.
    ("meeting Acme in 2 hours", "meeting", "Acme", "", "2026-11-21 11:00"),
    ("call Acme in half an hour about prices", "call", "Acme about prices", "", "2026-11-21 09:30"),
    ("call Acme in 45 minutes", "call", "Acme", "", "2026-11-21 09:45"),
    ("in an hour call Acme", "call", "Acme", "", "2026-11-21 10:00"),
    ("meeting Acme in 20 hours", "meeting", "Acme", "", "2026-11-22 05:00"),
    ("called Acme 2 hours ago, wants a quote", "call", "Acme, wants a quote", "2026-11-21 07:00", ""),
    # Short and misspelt words of dates.
    ("call Acme tomorow", "call", "Acme", "", "2026-11-22"),
    ("call Acme tmrw 9am", "call", "Acme", "", "2026-11-22 09:00"),
    ("call Acme, nxt wk", "call", "Acme", "", "2026-11-23"),
    ("meeting Acme weds 10:00", "meeting", "Acme", "", "2026-11-25 10:00"),
    ("call Acme tmrw am", "call", "Acme", "", "2026-11-22 09:00"),
    ("Acme: no answer, try tmrw am", "note", "Acme: no answer, try", "2026-11-21", "2026-11-22 09:00"),
    ("call Acme, wants a quote, fri pm", "call", "Acme, wants a quote", "2026-11-21", "2026-11-27 14:00"),
    ("call Acme 9 am", "call", "Acme", "2026-11-21 09:00", ""),
    ("call Acme am", "call", "Acme am", "2026-11-21", ""),
    # The end of the day is that of the day beside it.
    ("Jo wants a price, wed eod", "note", "Jo wants a price", "2026-11-21", "2026-11-25"),
    ("Jo has to decide by wed eod", "note", "Jo has to decide", "2026-11-21", "2026-11-25"),
    ("call Acme eod friday", "call", "Acme", "", "2026-11-27"),
    ("call Acme, wants a quote, by eod on friday", "call", "Acme, wants a quote", "2026-11-21", "2026-11-27"),
    ("call Acme, wants a quote, 12/24 end of day", "call", "Acme, wants a quote", "2026-11-21", "2026-12-24"),
    ("Jo wants a price, eod", "note", "Jo wants a price", "2026-11-21", "2026-11-21"),
    ("call Anna Munday", "call", "Anna Munday", "2026-11-21", ""),
    # What is wanted till a day is due then; what lasts till a day is text.
    ("called Maria, wants new offer til friday", "call", "Maria, wants new offer", "2026-11-21", "2026-11-27"),
    ("Jo needs the contract until friday", "note", "Jo needs the contract", "2026-11-21", "2026-11-27"),
    ("note Jo, is on vacation til dec 7", "note", "Jo, is on vacation til dec 7", "2026-11-21", ""),
    # Words that say that something is to be done.
    ("call Acme, wants a quote, f/u fri", "call", "Acme, wants a quote", "2026-11-21", "2026-11-27"),
    ("f/u with Acme fri", "note", "Acme", "", "2026-11-27"),
    ("mtg Bob Smith thu 2pm re contract", "meeting", "Bob Smith re contract", "", "2026-11-26 14:00"),
    ("remind me to call Bob", "call", "Bob", "", "2026-11-21"),
    ("remind me to send bob the samples in 2 weeks", "note", "send bob the samples", "", "2026-12-05"),
    ("please remember to email Bob, wants a quote, fri", "email", "Bob, wants a quote", "", "2026-11-27"),
    # A deed that is done, on a weekday: the last such day, but for what is only wanted or said for then.
    ("sold Acme 2k on friday", "note", "Acme", "2026-11-20", ""),
    ("sold Acme 2k friday", "note", "Acme", "2026-11-20", ""),
    ("sold Acme 2 tables on monday", "note", "Acme 2 tables", "2026-11-16", ""),
    ("Acme ordered 5 chairs on friday", "note", "Acme, 5 chairs", "2026-11-20", ""),
    ("delivered 5 pcs to Bob on monday, invoice him", "note", "delivered 5 pcs to Bob, invoice him", "2026-11-16", ""),
    ("delivered 5 pcs to Bob on monday", "note", "delivered 5 pcs to Bob", "2026-11-16", ""),
    ("invoiced Bob on monday, chase friday", "note", "invoiced Bob, chase", "2026-11-16", "2026-11-27"),
    ("Acme signed the contract on monday", "note", "Acme signed the contract", "2026-11-16", ""),
    ("sent samples to Bob on monday", "note", "Bob, samples", "2026-11-16", ""),
    ("met Greta at the fair in town on friday", "meeting", "Greta at the fair in town", "2026-11-20", ""),
    ("emailed Jo the pricelist on friday", "email", "Jo the pricelist", "2026-11-20", ""),
    ("Sven called about the table on friday", "call", "Sven, about the table", "2026-11-20", ""),
    ("gave Greta a call about the roof on friday", "call", "Greta, about the roof", "2026-11-20", ""),
    ("Sven called, wants the table on friday", "call", "Sven, wants the table", "2026-11-21", "2026-11-27"),
    ("Sven called, table on friday", "call", "Sven, table", "2026-11-21", "2026-11-27"),
    ("Jo sent photos on friday", "note", "Jo sent photos", "2026-11-20", ""),
    ("closed Acme for 45k on friday", "note", "Acme", "2026-11-20", ""),
    ("Jo got the offer, decides on friday", "note", "Jo got the offer, decides", "2026-11-21", "2026-11-27"),
    ("sold Acme 3 tables, deliver on friday", "note", "Acme 3 tables, deliver", "2026-11-21", "2026-11-27"),
    ("sold Acme 3 tables deliver on friday", "note", "Acme 3 tables deliver", "2026-11-21", "2026-11-27"),
    ("called Bob wants a price on friday", "call", "Bob wants a price", "2026-11-21", "2026-11-27"),
    ("called Bob will decide on friday", "call", "Bob will decide", "2026-11-21", "2026-11-27"),
    ("delivered 5 pcs to Bob, call on friday", "note", "delivered 5 pcs to Bob, call", "2026-11-21", "2026-11-27"),
    ("Acme wants it delivered on friday", "note", "Acme wants it delivered", "2026-11-21", "2026-11-27"),
    ("Acme goods to be delivered on friday", "note", "Acme goods to be delivered", "2026-11-21", "2026-11-27"),
    ("deliver 5 pcs to Bob on monday", "note", "deliver 5 pcs to Bob", "2026-11-21", "2026-11-23"),
    ("sell Acme 2k on friday", "note", "Acme", "", "2026-11-27"),
    # Of two days the earlier is when something follows; both are text, like a month in which something is wanted.
    ("Sven called back he says 10-20 units maybe tomorrow or wed",
     "call", "Sven, he says 10-20 units maybe tomorrow or wed", "2026-11-21", "2026-11-22"),
    ("call Acme, wants a visit on wed or next tuesday", "call", "Acme, wants a visit on wed or next tuesday",
     "2026-11-21", "2026-11-24"),
    ("call Acme, oak or beech, fri", "call", "Acme, oak or beech", "2026-11-21", "2026-11-27"),
    ("call Acme, wants 3 or 12/24", "call", "Acme, wants 3 or 12/24", "2026-11-21", ""),
    ("spoke to Greta yday, ok in jan", "call", "Greta, ok in jan", "2026-11-20", "2027-01-01"),
    ("call Greta in january", "call", "Greta", "", "2027-01-01"),
    # What was written down of a meeting: it has been.
    ("lunch w Kim fri noon", "meeting", "Kim", "", "2026-11-27 12:00"),
    ("Meeting notes Acme: - wants 5 seats - budget ok - call fri",
     "meeting", "Acme: - wants 5 seats - budget ok - call", "2026-11-21", "2026-11-27"),
    ("minutes of the meeting with Acme yesterday: wants 5 seats", "meeting", "Acme: wants 5 seats", "2026-11-20", ""),
    ("call notes Acme: wants 5 seats", "call", "Acme: wants 5 seats", "2026-11-21", ""),
    ("notes from call with Acme: wants 5 seats, fri", "call", "Acme: wants 5 seats", "2026-11-21", "2026-11-27"),
    # Nothing was sold on a day to come.
    ("sold Acme 300 tomorrow", "note", "Acme", "", "2026-11-22"),
    ("sold Acme 3 tables for 300 next week", "note", "Acme 3 tables", "", "2026-11-23"),
    ("tomorrow sold Acme 300", "note", "Acme", "", "2026-11-22"),
    ("Acme ordered 300 tomorrow", "note", "Acme", "", "2026-11-22"),
    ("Acme pays 300 fri", "note", "Acme", "", "2026-11-27"),
    ("sold Acme 300 at 15:00", "note", "Acme", "", "2026-11-21 15:00"),
    ("Acme paid 300 fri", "note", "Acme", "2026-11-20", ""),
    ("sold Acme 300 yesterday", "note", "Acme", "2026-11-20", ""),
    ("sold Acme 3 tables for 300, deliver tomorrow", "note", "Acme 3 tables, deliver", "2026-11-21", "2026-11-22"),
    # It has happened, and something is to follow.
    ("call Acme, wants a quote, fri 10:00", "call", "Acme, wants a quote", "2026-11-21", "2026-11-27 10:00"),
    ("met: Jo Fox about it, next week", "meeting", "Jo Fox about it", "2026-11-21", "2026-11-23"),
    ("met Greta, likes oak, monday", "meeting", "Greta, likes oak", "2026-11-21", "2026-11-23"),
    ("called Acme, tomorrow", "call", "Acme", "2026-11-21", "2026-11-22"),
    ("talked with Greta about oak tomorrow", "call", "Greta about oak", "2026-11-21", "2026-11-22"),
    ("note Acme, new address, 10:00 on friday", "note", "Acme, new address", "2026-11-21", "2026-11-27 10:00"),
    ("Acme wants a quote, in a month", "note", "Acme wants a quote", "2026-11-21", "2026-12-21"),
    ("call Acme, wants a quote, Fri, Nov 27, 2026 at 10:00",
     "call", "Acme, wants a quote", "2026-11-21", "2026-11-27 10:00"),
    # Other words for it.
    ("Sven Lindqvist called, wants to reorder next month",
     "call", "Sven Lindqvist, wants to reorder", "2026-11-21", "2026-12-01"),
    ("sven called", "call", "sven", "2026-11-21", ""),
    ("Acme rang yesterday, wants a quote", "call", "Acme, wants a quote", "2026-11-20", ""),
    ("Greta wrote: thanks", "email", "Greta, thanks", "2026-11-21", ""),
    ("spoke to Greta, likes oak", "call", "Greta, likes oak", "2026-11-21", ""),
    ("talked with Greta about oak", "call", "Greta about oak", "2026-11-21", ""),
    ("lunch with Jonas Marchetti, likes oak", "meeting", "Jonas Marchetti, likes oak", "2026-11-21", ""),
    ("whatsapp Greta, photo of the table", "sms", "Greta, photo of the table", "2026-11-21", ""),
    ("whatsapp to Greta: photo", "sms", "Greta: photo", "2026-11-21", ""),
    ("visited Acme yesterday", "meeting", "Acme", "2026-11-20", ""),
    ("missed call from Sven", "call", "Sven", "2026-11-21", ""),
    ("got an email from Greta, likes oak", "email", "Greta, likes oak", "2026-11-21", ""),
    ("received a call from Greta yesterday", "call", "Greta", "2026-11-20", ""),
    ("facetime with Sven, likes oak", "call", "Sven, likes oak", "2026-11-21", ""),
    ("left a message for Greta", "call", "Greta", "2026-11-21", ""),
    ("video call with Acme, likes oak", "call", "Acme, likes oak", "2026-11-21", ""),
    ("quote Villa Aurora 4500", "note", "Villa Aurora", "2026-11-21", ""),
    ("quote for Anna 4500", "note", "Anna", "2026-11-21", ""),
    ("offered Anna 3 tables for 4500, fri", "note", "Anna 3 tables", "2026-11-21", "2026-11-27"),
    ("offered Anna 10 chairs", "note", "Anna 10 chairs", "2026-11-21", ""),
    ("I just had lunch with Greta, likes oak", "meeting", "Greta, likes oak", "2026-11-21", ""),
    ("had coffee w/ Greta yesterday", "meeting", "Greta", "2026-11-20", ""),
    ("call back Greta tomorrow", "call", "Greta", "", "2026-11-22"),
    ("call Acme tomorrow and ask about tables", "call", "Acme and ask about tables", "", "2026-11-22"),
    ("quoted Acme $4,500 for tables, fri", "note", "Acme tables", "2026-11-21", "2026-11-27"),
    # What says nothing of a day is text.
    ("call Acme, room 42", "call", "Acme, room 42", "2026-11-21", ""),
    ("call Acme, since 2020-01-01", "call", "Acme, since 2020-01-01", "2026-11-21", ""),
    ("call Acme, wants the invoice of 3 nov", "call", "Acme, wants the invoice of 3 nov", "2026-11-21", ""),
    ("call Acme, wants 50/50", "call", "Acme, wants 50/50", "2026-11-21", ""),
    ("call Acme, wants 1/2", "call", "Acme, wants 1/2", "2026-11-21", ""),
    ("call Acme, a table in the sun", "call", "Acme, a table in the sun", "2026-11-21", ""),
    ("call May Smith", "call", "May Smith", "2026-11-21", ""),
    ("Friday AG wants a quote", "note", "Friday AG wants a quote", "2026-11-21", ""),
    ("Acme tomorrow we speak", "note", "Acme tomorrow we speak", "2026-11-21", ""),
    ("callable Acme", "note", "callable Acme", "2026-11-21", ""),
    ("call Acme, order 2026", "call", "Acme, order 2026", "2026-11-21", ""),
    ("call Acme, wants 2/3 of it", "call", "Acme, wants 2/3 of it", "2026-11-21", ""),
    ("call Acme, 60/40", "call", "Acme, 60/40", "2026-11-21", ""),
    ("call Acme, 24/7", "call", "Acme, 24/7", "2026-11-21", ""),
    ("call Acme, 13/40 screws", "call", "Acme, 13/40 screws", "2026-11-21", ""),
    ("met Anna for her 50th", "meeting", "Anna for her 50th", "2026-11-21", ""),
    ("call Acme, wants the 10:00 train", "call", "Acme, wants the 10:00 train", "2026-11-21", ""),
    ("call Acme, opened at 8:00", "call", "Acme, opened at 8:00", "2026-11-21", ""),
    ("call Acme, 4.50", "call", "Acme, 4.50", "2026-11-21", ""),
    # A date at the end plans what follows, with or without a comma or "on" before it.
    ("call muller, send catalogue 12/24", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 12/24/2026", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 12/24/26", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 12/24.", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 12-24-2026", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 2026-12-24", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 24 dec", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue Dec 24, 2026", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue thu 12/24", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 12/24 10:00", "call", "muller, send catalogue", "2026-11-21", "2026-12-24 10:00"),
    ("call muller, send catalogue 12/24 at 3pm", "call", "muller, send catalogue", "2026-11-21", "2026-12-24 15:00"),
    ("call muller, send catalogue by 12/24", "call", "muller, send catalogue", "2026-11-21", "2026-12-24"),
    ("call muller send catalogue 12/24", "call", "muller send catalogue", "2026-11-21", "2026-12-24"),
    ("muller wants the catalogue 1/15", "note", "muller wants the catalogue", "2026-11-21", "2027-01-15"),
    ("met muller, likes 12/24", "meeting", "muller, likes", "2026-11-21", "2026-12-24"),
    ("call muller, send 3 catalogues 12/24", "call", "muller, send 3 catalogues", "2026-11-21", "2026-12-24"),
    ("call muller, send catalogue 11/13", "call", "muller, send catalogue 11/13", "2026-11-21", ""),
    ("call muller, send catalogue 2/30", "call", "muller, send catalogue 2/30", "2026-11-21", ""),
    ("call muller, wants 3/4", "call", "muller, wants 3/4", "2026-11-21", ""),
    ("call muller, wants 2 1/8", "call", "muller, wants 2 1/8", "2026-11-21", ""),
    ("call muller, invoice 12/24", "call", "muller, invoice 12/24", "2026-11-21", ""),
    ("call muller, wants to pay invoice no. 12/24", "call", "muller, wants to pay invoice no. 12/24", "2026-11-21", ""),
    ("call muller, size 10/12", "call", "muller, size 10/12", "2026-11-21", ""),
    ("call muller, open 24/7", "call", "muller, open 24/7", "2026-11-21", ""),
    ("call muller, split 50/50", "call", "muller, split 50/50", "2026-11-21", ""),
    ("", "note", "", "2026-11-21", ""),
    ("call", "call", "", "2026-11-21", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "body", "happened", "follows"), NOTES)
def test_a_quick_note_is_parsed(line: str, kind: str, body: str, happened: str, follows: str) -> None:
    note = next(read_notes(line, US))
    until = f" to {note.until}" if note.until else ""
    on = "" if note.is_planned(note.apart()[1]) else f"{note.on or TODAY} {note.time}".strip()
    due = f"{note.due_on} {note.due_time}".strip() if note.due_on else ""
    on, due = (day + until if day and ":" in day else day for day in (on, due))
    assert (note.kind, note.body, on, due) == (kind, body, happened, follows)


@pytest.mark.parametrize(
    ("line", "language", "due"),
    [("email Acme, 24/12", "en_GB", "2026-12-24"), ("Acme, Angebot, 5. Dez.", "de_AT", "2026-12-05"),
     ("call Acme, wants a quote, Fr 10:00", "de_AT", "2026-11-27"), ("call Acme, 24.12.", "de_AT", "2026-12-24"),
     ("call Acme, Katalog 24.12.", "de_AT", "2026-12-24"), ("call Acme, Katalog 24.12", "de_AT", "2026-12-24"),
     ("call Acme, Katalog 24.12.2026", "de_AT", "2026-12-24"), ("call Acme, Katalog Do 24.12.", "de_AT", "2026-12-24"),
     ("email Acme, catalogue 24/12", "en_GB", "2026-12-24"), ("call Acme, Katalog 4.50", "de_AT", "None"),
     ("call Acme, Katalog 1.13", "de_AT", "None")],
)  # fmt: skip
def test_days_are_read_as_the_team_writes_them(line: str, language: str, due: str) -> None:
    assert str(next(read_notes(line, TEAMS[language])).due_on) == due


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("call Otto Eschbach, 2026-02-30", "2026-02-30: no day 30 in February 2026"),
        ("call Otto Eschbach, 30 feb", "30 feb: no day 30 in February"),
        ("call Otto Eschbach, wants a quote, 31/12/2026", "31/12/2026: no month 31"),
        ("call Acme, 24.13.", "24.13.: no month 13"),
        ("call Acme 24.13.", "24.13.: no month 13"),
        ("call Acme, 13/40", "13/40: no month 13"),
        ("call Acme, wants a quote, 13/13", "13/13: no month 13"),
        ("call Acme on 31/11", "31/11: no month 31"),
        ("13/40 call Acme", "13/40: no month 13"),
        ("call Acme, 0/5", "0/5: no month 0"),
        ("call Acme, the 32nd", "the 32nd: no day 32 in any month"),
        ("call Acme on the 32nd", "on the 32nd: no day 32 in any month"),
        ("call Acme, wants a quote, 32nd", "32nd: no day 32 in any month"),
        ("call Acme feb 30", "feb 30: no day 30 in February"),
        ("call Acme, feb 30th", "feb 30th: no day 30 in February"),
        ("meeting Acme 25:00", "25:00: no such time of day"),
        ("meeting Acme, 13pm", "13pm: with am or pm the hour is from 1 to 12"),
        ("call Acme, fri 25:00", "fri 25:00: no such time of day"),
        ("meeting Acme, mon, nov 27, 2026", "Nov 27, 2026 is a Friday, not a Monday"),
    ],
)
def test_a_day_that_does_not_exist_is_refused(line: str, words: str) -> None:
    with pytest.raises(FieldError) as refused:
        next(read_notes(line, US))
    assert words in refused.value.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sold Acme a table for 12.000", "12.000: an amount has at most two decimals; did you mean 12,000?"),
        ("sold Acme a table for $12.000", "$12.000: an amount has at most two decimals; did you mean 12,000?"),
        ("sold Acme a table for 12.000 USD", "did you mean 12,000?"),
        ("offered Acme 3 tables at 1.234 each", "1.234: an amount has at most two decimals; did you mean 1,234?"),
        (
            "sold Acme 3 tables at 12.000 USD each",
            "12.000 USD: an amount has at most two decimals; did you mean 12,000?",
        ),
        ("sold Acme 3 tables for 12.000 dollars apiece", "did you mean 12,000?"),
    ],
)
def test_a_sum_that_may_be_in_thousands_is_asked_about(line: str, words: str) -> None:
    with pytest.raises(FieldError) as refused:
        next(read_notes(line, US))
    assert words in refused.value.reason


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("call Greta second weekend of december", "second weekend of december"),
        ("call Greta, the fourth weekend of may", "fourth weekend of may"),
        ("call Greta, third week of january", "third week of january"),
        ("call Greta, see the third weekend of december", "third weekend of december"),
        ("called Greta, see the first week of december", "first week of december"),
        ("call Greta on monday after next", "on monday after next"),
        ("call Greta, late next month, wants a quote", "late next month"),
        ("meeting Villa Aurora in the first week of may", "in the first week of may"),
        # What is to be done before or after a day has not been done today.
        ("call Greta after easter", "after easter"),
        ("call Greta the week after easter", "the week after easter"),
        ("call Greta, before christmas", "before christmas"),
        ("call Greta after monday", "after monday"),
        ("call Greta, thanksgiving", "thanksgiving"),
    ],
)
def test_a_day_that_cannot_be_read_whole_is_asked_about(line: str, day: str) -> None:
    with pytest.raises(UnreadDayError) as unread:
        list(read_notes(line, US))
    assert unread.value.written == day
    # As text it stays where it stands.
    for note in read_notes(line, US, [day]):
        assert day in note.body
        assert note.due_on is None


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("call Greta in der ersten Maiwoche", "in der ersten Maiwoche"),
        ("call Greta, die erste Maiwoche", "erste Maiwoche"),
        ("call Greta, am dritten Wochenende im Dezember", "am dritten Wochenende im Dezember"),
        ("call Greta, in der zweiten Dezemberhälfte", "in der zweiten Dezemberhälfte"),
        ("call Greta, in der zweiten Dezemberhaelfte", "in der zweiten Dezemberhaelfte"),
        ("call Greta, Ende der ersten Januarwoche, will Eiche", "Ende der ersten Januarwoche"),
        ("call Greta, in der Woche vor Weihnachten", "in der Woche vor Weihnachten"),
        ("call Greta nach Ostern", "nach Ostern"),
        ("call Greta vor Montag", "vor Montag"),
        ("call Greta, Montag in 14 Tagen", "Montag in 14 Tagen"),
    ],
)
def test_a_german_day_that_cannot_be_read_is_asked_about(line: str, day: str) -> None:
    with pytest.raises(UnreadDayError) as unread:
        list(read_notes(line, TEAMS["de_AT"]))
    assert unread.value.written == day


@pytest.mark.parametrize(
    ("line", "text", "due"),
    [
        ("call Greta zu Ostern", "Greta", "2027-03-28"),
        ("call Greta, Karfreitag um 10", "Greta", "2027-03-26"),
        ("call Greta übernächsten Montag", "Greta", "2026-11-30"),
        ("call Greta, Freitag, den 4. Dezember", "Greta", "2026-12-04"),
        ("call Greta bis Freitag", "Greta", "2026-11-27"),
        # What is no day of the note stays text.
        ("Greta called, kommt jede Woche", "Greta, kommt jede Woche", ""),
        ("call Greta an einem Montag", "Greta an einem Montag", ""),
        ("call Greta, Angebot für Montag", "Greta, Angebot für Montag", ""),
        ("call Greta, will Angebot nach Ostern", "Greta, will Angebot nach Ostern", ""),
        ("call Greta, eröffnet die zweite Filiale", "Greta, eröffnet die zweite Filiale", ""),
        ("call Greta, hat Geburtstag, eine Woche Urlaub", "Greta, hat Geburtstag, eine Woche Urlaub", ""),
        ("met Greta nach der Messe", "Greta nach der Messe", ""),
    ],
)
def test_german_days_of_a_note(line: str, text: str, due: str) -> None:
    note = next(read_notes(line, TEAMS["de_AT"]))
    assert (note.body, str(note.due_on or "")) == (text, due)


@pytest.mark.parametrize(
    ("line", "text", "due"),
    [
        ("call Greta at easter", "Greta", "2027-03-28"),
        ("call Greta easter monday", "Greta", "2027-03-29"),
        ("call Greta, good friday", "Greta", "2027-03-26"),
        ("call Greta at christmas, wants the cards", "Greta, wants the cards", "2026-12-25"),
        ("Greta called, wants the easter menu", "Greta, wants the easter menu", ""),
        ("Greta called, comes back after easter", "Greta, comes back after easter", ""),
        ("wish Greta a happy easter", "wish Greta a happy easter", ""),
        ("call Greta, wants it before friday", "Greta, wants it before friday", ""),
    ],
)
def test_holidays_of_a_note(line: str, text: str, due: str) -> None:
    note = next(read_notes(line, US))
    assert (note.body, str(note.due_on or "")) == (text, due)


@pytest.mark.parametrize(
    "line",
    [
        "call Greta, pays 300 a month", "call Greta, needs it twice a week",
        "met Greta, opened the second week", "call Sunday Foods, wants chairs", "call Greta, every second month",
        "sold Acme 2 tables on monday", "met Friday AG, likes the days",
        "call Greta, open on weekends",
    ],
)  # fmt: skip
def test_words_of_days_in_a_text_are_text(line: str) -> None:
    assert list(read_notes(line, US))


@pytest.mark.parametrize(
    ("line", "body", "due"),
    [
        ("called Acme about new year", "Acme about new year", ""),
        ("Acme closed on boxing day", "Acme closed on boxing day", ""),
        ("called Acme, closed over christmas", "Acme, closed over christmas", ""),
        ("called Acme, has the invoice of december", "Acme, has the invoice of december", ""),
        ("called Acme about new year, fri 10:00", "Acme about new year", "2026-11-27"),
        ("call Acme about christmas tomorrow", "Acme about christmas", "2026-11-22"),
        ("call Acme on boxing day", "Acme", "2026-12-26"),
        ("call Acme about the fair, new year's day", "Acme about the fair", "2027-01-01"),
    ],
)
def test_a_month_or_a_holiday_as_a_topic_is_text(line: str, body: str, due: str) -> None:
    note = next(read_notes(line, US))
    assert (note.body, str(note.due_on or "")) == (body, due)


@pytest.mark.parametrize(
    ("line", "body", "amount"),
    [
        ("sold Acme 3 tables for 300", "Acme 3 tables", "300"),
        ("sold 3 tables to Acme for 300", "Acme, 3 tables", "300"),
        ("sold Acme 3 tables for $1,200.50, deliver fri", "Acme 3 tables, deliver", "1200.50"),
        ("Acme bought 2 chairs for 300", "Acme, 2 chairs", "300"),
        ("Acme ordered 5 chairs for 1,000", "Acme, 5 chairs", "1000"),
        ("sold to Acme: 3 tables, 300 USD", "Acme: 3 tables", "300"),
        ("sold Acme 300", "Acme", "300"),
        ("sold Acme table for 1 500.00 USD", "Acme table", "1500"),
        ("sold Greta Galanis chairs, 1 200", "Greta Galanis chairs", "1200"),
        ("sold Acme table at 4 500", "Acme table", "4500"),
        ("sold Acme 2 tables 1 234 567.50 USD", "Acme 2 tables", "1234567.50"),
        ("sold Acme $4 500 for 3 tables", "Acme 3 tables", "4500"),
        ("Acme paid 1 500", "Acme", "1500"),
        ("Acme paid 1 500 yesterday", "Acme", "1500"),
        ("Acme paid 1\u00a0500", "Acme", "1500"),
        ("got 1 500 from Acme", "Acme", "1500"),
        ("quote for Anna 12 500", "Anna", "12500"),
        ("sold Acme order 4711 500", "Acme order 4711", "500"),
        ("sold Acme 3 tables for 0", "Acme 3 tables for 0", None),
        ("sold Anna for 1.234,56", "Anna", "1234.56"),
        ("sold Anna for 12.345.678,90", "Anna", "12345678.90"),
        ("quote for Anna 4'500", "Anna", "4500"),
        ("quote for Anna 4.5k", "Anna", "4500"),
        ("quote for Anna 12K", "Anna", "12000"),
        ("Anna paid 300 yesterday", "Anna", "300"),
        ("Acme, $4,500 for 3 tables", "Acme, 3 tables", "4500"),
        ("Acme $4,500 for 3 tables", "Acme 3 tables", "4500"),
        ("Acme 3 tables for $4,500", "Acme 3 tables", "4500"),
        ("note Acme: 3 tables, 4500 USD", "Acme: 3 tables", "4500"),
        ("sale of 300 to Acme", "Acme", "300"),
        ("sold Acme $4,500 for 3 tables", "Acme 3 tables", "4500"),
        ("$300 from Acme", "Acme", "300"),
        ("got 300 from Acme for tables", "Acme, tables", "300"),
        ("Acme buys 3 tables for 300", "Acme, 3 tables", "300"),
        ("$4,500 for 3 tables from Acme", "Acme, 3 tables", "4500"),
        ("$4,500 for 3 tables to Acme", "Acme, 3 tables", "4500"),
        ("$4,500 for Acme", "Acme", "4500"),
        ("got 3 calls from Acme", "got 3 calls from Acme", None),
        ("Acme owes $4,500 for 3 tables", "Acme owes $4,500 for 3 tables", None),
        ("Acme wants 3 tables for $4,500", "Acme wants 3 tables for $4,500", None),
        ("Acme 4500 for 3 tables", "Acme 4500 for 3 tables", None),
        ("Acme, \u20ac300 for 3 tables", "Acme, \u20ac300 for 3 tables", None),
        ("call Acme, $4,500 for 3 tables", "Acme, $4,500 for 3 tables", None),
        ("Anna paid the invoice", "Anna, the invoice", None),
        ("sold Acme three tables", "Acme three tables", None),
        ("sold Acme 3 tables for a song", "Acme 3 tables for a song", None),
        ("call Acme, wants it for 300", "Acme, wants it for 300", None),
    ],
)
def test_the_amount_of_a_sale_is_read(line: str, body: str, amount: str | None) -> None:
    note = next(read_notes(line, US))
    assert (" ".join(note.body.split()), note.amount) == (body, Decimal(amount) if amount else None)


@pytest.mark.parametrize(
    ("line", "kind", "label", "name", "text", "amount", "due"),
    [
        ("sent offer to globex corp for 20k, chase in two weeks",
         "note", "Quote sent", "globex corp", "chase", "20000", "2026-12-05"),
        ("left voicemail for bob jones, no answer, try again monday",
         "call", "Left a message", "bob jones", "no answer, try again", None, "2026-11-23"),
        ("left a voicemail for Bob Jones", "call", "Left a message", "Bob Jones", "", None, ""),
        ("left a voice mail for bob jones, wants prices",
         "call", "Left a message", "bob jones", "wants prices", None, ""),
        ("left a message with bob jones", "call", "Left a message", "bob jones", "", None, ""),
        ("sent an offer to globex corp", "note", "Quote sent", "globex corp", "", None, ""),
        ("sent a quote to Globex for 1.5m", "note", "Quote sent", "Globex", "", "1500000", ""),
        ("Sent quote to globex corp, $4,500", "note", "Quote sent", "globex corp", "", "4500", ""),
        ("sent our proposal to globex corp yesterday", "note", "Quote sent", "globex corp", "", None, ""),
        ("I sent a proposal to globex corp, chase friday",
         "note", "Quote sent", "globex corp", "chase", None, "2026-11-27"),
        ("sent globex corp a quote for 12k", "note", "Quote sent", "globex corp", "", "12000", ""),
        ("sent globex corp our offer, 2m", "note", "Quote sent", "globex corp", "", "2000000", ""),
        ("sent an email to bob jones, asked for a date", "email", "", "bob jones", "asked for a date", None, ""),
        ("sent email to globex corp about the fair, chase monday",
         "email", "", "globex corp", "about the fair, chase", None, "2026-11-23"),
        ("emailed bob jones, wants the catalogue", "email", "", "bob jones", "wants the catalogue", None, ""),
        ("texted bob jones, running late", "sms", "", "bob jones", "running late", None, ""),
        ("sent a text to bob jones, running late", "sms", "", "bob jones", "running late", None, ""),
        ("followed up with globex corp, no news", "note", "Followed up", "globex corp", "no news", None, ""),
        ("follow up with globex corp, friday", "note", "", "globex corp", "", None, "2026-11-27"),
        ("checked in with bob jones, all good", "note", "Checked in", "bob jones", "all good", None, ""),
        ("reached out to globex corp, try again in a month",
         "note", "Reached out", "globex corp", "try again", None, "2026-12-21"),
        ("tried to call bob jones, engaged", "call", "Tried to call", "bob jones", "engaged", None, ""),
        ("tried calling bob jones", "call", "Tried to call", "bob jones", "", None, ""),
        ("had a call with bob jones, likes oak", "call", "", "bob jones", "likes oak", None, ""),
        ("sent the contract to globex corp, chase friday",
         "note", "Sent", "globex corp", "the contract, chase", None, "2026-11-27"),
        ("sent samples to Bob Jones", "note", "Sent", "Bob Jones", "samples", None, ""),
        ("sent Globex the contract", "note", "Sent", "Globex", "the contract", None, ""),
        # Not everything that looks so is one of these.
        ("left globex corp, no deal", "note", "", "left globex corp", "no deal", None, ""),
        ("offered Anna 10m of cable for 300", "note", "Quote", "Anna", "10m of cable", "300", ""),
    ],
)  # fmt: skip
def test_a_note_about_something_sent_names_the_client(
    line: str, kind: str, label: str, name: str, text: str, amount: str | None, due: str
) -> None:
    note = next(read_notes(line, US))
    parts = (note.kind, note.label, *note.apart(), note.amount, str(note.due_on or ""))
    assert parts == (kind, label, name, text, Decimal(amount) if amount else None, due)


@pytest.mark.parametrize(
    ("line", "label", "body", "amount"),
    [
        ("sold Acme 3 at 45 each", "Sold", "Acme 3 at 45 each", "135.00"),
        ("sold Acme 2 lamps at 45 each, deliver friday", "Sold", "Acme 2 lamps at 45 each, deliver", "90.00"),
        ("sold 3 at 45 each to Acme", "Sold", "Acme, 3 at 45 each", "135.00"),
        ("sold Acme 12 chairs @ 80", "Sold", "Acme 12 chairs @ 80", "960.00"),
        ("sold Acme 3 x 45", "Sold", "Acme 3 x 45", "135.00"),
        ("sold Acme 3x lamps for 45 apiece", "Sold", "Acme 3x lamps for 45 apiece", "135.00"),
        ("Acme bought 4 lamps at 25.50 per piece", "Bought", "Acme, 4 lamps at 25.50 per piece", "102.00"),
        ("Acme ordered 10 @ 4", "Ordered", "Acme, 10 @ 4", "40.00"),
        ("sold Acme a table for 300 dollars", "Sold", "Acme a table", "300.00"),
        ("closed Acme for 45k", "Won", "Acme", "45000.00"),
        ("closed Acme deal for 45k", "Won", "Acme deal", "45000.00"),
        ("closed Acme for 45k on friday", "Won", "Acme", "45000.00"),
        ("won Acme 45k", "Won", "Acme", "45000.00"),
        ("signed Acme for $12k, they start soon", "Won", "Acme, they start soon", "12000.00"),
        ("Acme signed for 12k", "Signed", "Acme", "12000.00"),
        # None of them is a sum of ours, and why.
        ("sold Acme a table for €300", "Sold", "Acme a table for €300", "€300 is not in USD"),
        ("sold Acme a table for 300 euros", "Sold", "Acme a table for 300 euros", "300 euros is not in USD"),
        ("Acme paid EUR 300", "Paid", "Acme, EUR 300", "EUR 300 is not in USD"),
        ("quoted Acme £2k", "Quote", "Acme £2k", "£2k is not in USD"),
        ("€300 for tables to Acme", "", "€300 for tables to Acme", "€300 is not in USD"),
        ("sold Acme lamps at 45 each", "Sold", "Acme lamps at 45 each", "it has the price of one, but not how many"),
        ("sold Acme 3 tables for 300 and 2 chairs for 90", "Sold", "Acme 3 tables for 300 and 2 chairs for 90",
         "there are several amounts, record each by itself"),
        # Nothing of the kind.
        ("closed the office on friday", "", "closed the office", ""),
        ("Acme closed", "", "Acme closed", ""),
        ("sold Acme 50% of the stock", "Sold", "Acme 50% of the stock", ""),
    ],
)  # fmt: skip
def test_sums_per_piece_in_another_currency_and_of_deals(line: str, label: str, body: str, amount: str) -> None:
    note = next(read_notes(line, US))
    assert (note.label, note.body) == (label, body)
    assert str(note.amount or note.no_sum) == amount


@pytest.mark.parametrize(
    ("line", "kind", "label", "body"),
    [
        ("left Greta a voicemail", "call", "Left a message", "Greta"),
        ("left Greta Galanis a message about the fair", "call", "Left a message", "Greta Galanis, about the fair"),
        ("gave Greta a quick call", "call", "", "Greta"),
        ("sent Greta an email", "email", "", "Greta"),
        ("shot Greta an e-mail about prices", "email", "", "Greta, about prices"),
        ("sent Greta a text", "sms", "", "Greta"),
        ("ran into Greta at the fair", "meeting", "", "Greta at the fair"),
        ("not called Greta", "note", "", "not called Greta"),
        ("gave Greta a text", "note", "", "gave Greta a text"),
        ("left Greta a table", "note", "", "left Greta a table"),
    ],
)
def test_a_note_about_something_given_names_the_client(line: str, kind: str, label: str, body: str) -> None:
    note = next(read_notes(line, US))
    assert (note.kind, note.label, note.body) == (kind, label, body)
