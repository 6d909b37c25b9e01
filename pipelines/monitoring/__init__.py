"""How the warehouse is: the state of the last refresh and of what is published, as metrics, and as messages to a person, once each."""
