import Descent.Step
